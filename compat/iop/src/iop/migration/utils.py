"""The functions that register classes and productions."""

from junctor.dialects.iop.migration import *  # noqa: F403
from junctor.dialects.iop.migration import __all__ as __all__
