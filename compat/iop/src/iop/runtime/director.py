"""The functions that operate productions."""

from junctor.dialects.iop.director.functions import *  # noqa: F403
from junctor.dialects.iop.director.functions import __all__ as __all__
