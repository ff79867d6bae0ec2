"""Business processes: each request is a conversation of its own, whose attributes are stored between its callbacks."""

from junctor.dialects.iop.hosting.process.alarm import AlarmRequest, AlarmResponse
from junctor.dialects.iop.hosting.process.spec import process_spec

__all__ = ("AlarmRequest", "AlarmResponse", "process_spec")
