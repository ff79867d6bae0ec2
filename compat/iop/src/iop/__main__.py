"""``python -m iop``: the command."""

import sys

from junctor.dialects.iop.cli.main import main

sys.exit(main())
