__all__ = ["TextFileCounters"]

from .TextFileCounters import TextFileCounters
