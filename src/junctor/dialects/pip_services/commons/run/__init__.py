"""The life of components: opened, closed, cleaned, called; their parameters; a timer."""

from junctor.dialects.pip_services.commons.run.callers import Cleaner, Closer, Executor, Notifier, Opener
from junctor.dialects.pip_services.commons.run.fixed_rate_timer import FixedRateTimer
from junctor.dialects.pip_services.commons.run.interfaces import (
    ICleanable,
    IClosable,
    IExecutable,
    INotifiable,
    IOpenable,
    IParameterized,
)
from junctor.dialects.pip_services.commons.run.parameters import Parameters

__all__ = (
    "Cleaner",
    "Closer",
    "Executor",
    "FixedRateTimer",
    "ICleanable",
    "IClosable",
    "IExecutable",
    "INotifiable",
    "IOpenable",
    "IParameterized",
    "Notifier",
    "Opener",
    "Parameters",
)
