"""Junctor: turn a Python class into a running service.

The whole public API is here, grouped by what you do with it. Names are loaded when they are first used, so that
importing Junctor costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.core.outcome import Hold as Hold
    from junctor.core.outcome import Park as Park
    from junctor.core.outcome import Retry as Retry
    from junctor.core.policy import RestartPolicy as RestartPolicy
    from junctor.core.policy import RetryPolicy as RetryPolicy
    from junctor.core.port import Receipt as Receipt
    from junctor.core.retention import Retention as Retention
    from junctor.errors import JunctorError as JunctorError
    from junctor.errors import WorkflowCancelled as WorkflowCancelled
    from junctor.errors import WorkflowFailed as WorkflowFailed
    from junctor.flows.wires import when as when
    from junctor.messages import Codec as Codec
    from junctor.messages import Message as Message
    from junctor.messages import Sensitive as Sensitive
    from junctor.messages import message as message
    from junctor.node.control.client import connect as connect
    from junctor.node.flow import Flow as Flow
    from junctor.node.flow import run as run
    from junctor.services import Asked as Asked
    from junctor.services import Audience as Audience
    from junctor.services import Conversation as Conversation
    from junctor.services import Service as Service
    from junctor.services import Socket as Socket
    from junctor.services import SocketClosed as SocketClosed
    from junctor.services import Target as Target
    from junctor.services import Workflow as Workflow
    from junctor.services import action as action
    from junctor.services import cron as cron
    from junctor.services import delete as delete
    from junctor.services import every as every
    from junctor.services import get as get
    from junctor.services import handler as handler
    from junctor.services import on_complete as on_complete
    from junctor.services import on_failure as on_failure
    from junctor.services import on_reply as on_reply
    from junctor.services import on_timer as on_timer
    from junctor.services import patch as patch
    from junctor.services import post as post
    from junctor.services import put as put
    from junctor.services import query as query
    from junctor.services import route as route
    from junctor.services import signal as signal
    from junctor.services import subscribe as subscribe
    from junctor.services import websocket as websocket
    from junctor.settings import setting as setting

__version__ = "0.1.0"

_SOURCES = {
    # Write a service
    "Service": "junctor.services",
    "Target": "junctor.services",
    "setting": "junctor.settings",
    "handler": "junctor.services",
    "subscribe": "junctor.services",
    "every": "junctor.services",
    "cron": "junctor.services",
    "action": "junctor.services",
    "get": "junctor.services",
    "post": "junctor.services",
    "put": "junctor.services",
    "patch": "junctor.services",
    "delete": "junctor.services",
    "route": "junctor.services",
    # Write a workflow
    "Workflow": "junctor.services",
    "signal": "junctor.services",
    "query": "junctor.services",
    "WorkflowFailed": "junctor.errors",
    "WorkflowCancelled": "junctor.errors",
    # Write a conversation
    "Conversation": "junctor.services",
    "on_reply": "junctor.services",
    "on_failure": "junctor.services",
    "on_timer": "junctor.services",
    "on_complete": "junctor.services",
    "Asked": "junctor.services",
    # Live data over WebSockets
    "websocket": "junctor.services",
    "Socket": "junctor.services",
    "SocketClosed": "junctor.services",
    "Audience": "junctor.services",
    # Messages
    "message": "junctor.messages",
    "Codec": "junctor.messages",
    "Message": "junctor.messages",
    "Sensitive": "junctor.messages",
    "Receipt": "junctor.core.port",
    # Decide in a handler what becomes of its message
    "Hold": "junctor.core.outcome",
    "Park": "junctor.core.outcome",
    "Retry": "junctor.core.outcome",
    # Compose and run
    "Flow": "junctor.node.flow",
    "run": "junctor.node.flow",
    "when": "junctor.flows.wires",
    "connect": "junctor.node.control.client",
    "RetryPolicy": "junctor.core.policy",
    "RestartPolicy": "junctor.core.policy",
    "Retention": "junctor.core.retention",
    # Errors
    "JunctorError": "junctor.errors",
}

__all__ = (  # kept equal to _SOURCES by a test
    "Asked",
    "Audience",
    "Codec",
    "Conversation",
    "Flow",
    "Hold",
    "JunctorError",
    "Message",
    "Park",
    "Receipt",
    "RestartPolicy",
    "Retention",
    "Retry",
    "RetryPolicy",
    "Sensitive",
    "Service",
    "Socket",
    "SocketClosed",
    "Target",
    "Workflow",
    "WorkflowCancelled",
    "WorkflowFailed",
    "action",
    "connect",
    "cron",
    "delete",
    "every",
    "get",
    "handler",
    "message",
    "on_complete",
    "on_failure",
    "on_reply",
    "on_timer",
    "patch",
    "post",
    "put",
    "query",
    "route",
    "run",
    "setting",
    "signal",
    "subscribe",
    "websocket",
    "when",
)


def __getattr__(name: str) -> Any:
    try:
        source = _SOURCES[name]
    except KeyError:
        raise AttributeError(f"module 'junctor' has no attribute {name!r}") from None
    value = getattr(import_module(source), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
