"""Performance counters."""

from junctor.dialects.pip_services.components.count.cached_counters import CachedCounters
from junctor.dialects.pip_services.components.count.composite_counters import CompositeCounters
from junctor.dialects.pip_services.components.count.counter import Counter, CounterType
from junctor.dialects.pip_services.components.count.counter_timing import CounterTiming
from junctor.dialects.pip_services.components.count.default_counters_factory import DefaultCountersFactory
from junctor.dialects.pip_services.components.count.interfaces import ICounters, ICounterTimingCallback
from junctor.dialects.pip_services.components.count.log_counters import LogCounters
from junctor.dialects.pip_services.components.count.null_counters import NullCounters

__all__ = (
    "CachedCounters",
    "CompositeCounters",
    "Counter",
    "CounterTiming",
    "CounterType",
    "DefaultCountersFactory",
    "ICounterTimingCallback",
    "ICounters",
    "LogCounters",
    "NullCounters",
)
