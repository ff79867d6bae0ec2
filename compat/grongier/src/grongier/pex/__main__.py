"""``python -m grongier.pex``: the command ``iop``."""

import sys

from junctor.dialects.iop.cli.main import main

sys.exit(main())
