"""The flow of workflows or conversations as a program: ``python -m junctor run program.py``, CRASH_CASE says which.

With CRASH_SWEEP what has ended is removed at once, again and again.
"""

from __future__ import annotations

import os

from junctor.core.retention import Retention
from junctor.runtime import sweep
from tests.crash.runs.drivers.cases import CASES

flow = CASES[os.environ.get("CRASH_CASE", "workflow")].flow()

if os.environ.get("CRASH_SWEEP"):
    sweep.pause = lambda asked, unrecorded: 0.05
    flow.retention = Retention(done=0.02, failures=0.02)
