"""``python -m junctor.dialects.iop.cli``: the ``iop`` command."""

import sys

from junctor.dialects.iop.cli.main import main

sys.exit(main())
