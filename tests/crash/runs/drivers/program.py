"""The flow of workflows or conversations as a program: ``python -m junctor run program.py``, CRASH_CASE says which."""

from __future__ import annotations

import os

from tests.crash.runs.drivers.cases import CASES

flow = CASES[os.environ.get("CRASH_CASE", "workflow")].flow()
