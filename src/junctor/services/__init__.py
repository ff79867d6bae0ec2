"""What users subclass and mark: services, targets, state. Sees the engine only through a port."""

from junctor.services.conversation import Asked, Conversation, on_complete, on_failure, on_reply, on_timer
from junctor.services.functions import current, has_marks, module_spec
from junctor.services.markers import (
    action,
    cron,
    delete,
    every,
    get,
    handler,
    patch,
    post,
    put,
    route,
    subscribe,
    websocket,
)
from junctor.services.names import checked_name, name_of_class, name_of_module
from junctor.services.native import own_policies, spec_of
from junctor.services.service import Service, Sleep, published
from junctor.services.socket import Audience, Socket, SocketClosed
from junctor.services.state import State
from junctor.services.target import RecordingTarget, Target
from junctor.services.workflow import Workflow, query, signal

__all__ = (
    "Asked",
    "Audience",
    "Conversation",
    "RecordingTarget",
    "Service",
    "Sleep",
    "Socket",
    "SocketClosed",
    "State",
    "Target",
    "Workflow",
    "action",
    "checked_name",
    "cron",
    "current",
    "delete",
    "every",
    "get",
    "handler",
    "has_marks",
    "module_spec",
    "name_of_class",
    "name_of_module",
    "on_complete",
    "on_failure",
    "on_reply",
    "on_timer",
    "own_policies",
    "patch",
    "post",
    "published",
    "put",
    "query",
    "route",
    "signal",
    "spec_of",
    "subscribe",
    "websocket",
)
