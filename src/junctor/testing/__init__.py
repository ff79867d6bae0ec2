"""What users and transports test with: a flow in virtual time, contract suites, harnesses.

``async with running(flow) as plant:`` runs a flow in a test; see the guide's page on testing. Names are loaded when
they are first used, so that the pytest plugin costs nothing where it is not used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.node.capture.file import Capture as Capture
    from junctor.node.capture.file import CaptureUnusable as CaptureUnusable
    from junctor.testing._blocking import BlockingFlow as BlockingFlow
    from junctor.testing._capture import Replay as Replay
    from junctor.testing._capture import ReplayedHop as ReplayedHop
    from junctor.testing._capture import SentMessage as SentMessage
    from junctor.testing._capture import load_capture as load_capture
    from junctor.testing._capture import replay as replay
    from junctor.testing._histories import load_history as load_history
    from junctor.testing._histories import replay_history as replay_history
    from junctor.testing._http import HttpClient as HttpClient
    from junctor.testing._http import Response as Response
    from junctor.testing._idle import NotAtRest as NotAtRest
    from junctor.testing._idle import RealSleep as RealSleep
    from junctor.testing._plant import RunningFlow as RunningFlow
    from junctor.testing._run import Running as Running
    from junctor.testing._run import running as running
    from junctor.testing._verdict import Parked as Parked
    from junctor.testing._verdict import Unexpected as Unexpected

_SOURCES = {
    "BlockingFlow": "junctor.testing._blocking",
    "Capture": "junctor.node.capture.file",
    "CaptureUnusable": "junctor.node.capture.file",
    "HttpClient": "junctor.testing._http",
    "NotAtRest": "junctor.testing._idle",
    "Parked": "junctor.testing._verdict",
    "RealSleep": "junctor.testing._idle",
    "Replay": "junctor.testing._capture",
    "ReplayedHop": "junctor.testing._capture",
    "Response": "junctor.testing._http",
    "Running": "junctor.testing._run",
    "RunningFlow": "junctor.testing._plant",
    "SentMessage": "junctor.testing._capture",
    "Unexpected": "junctor.testing._verdict",
    "load_capture": "junctor.testing._capture",
    "load_history": "junctor.testing._histories",
    "replay": "junctor.testing._capture",
    "replay_history": "junctor.testing._histories",
    "running": "junctor.testing._run",
}

__all__ = (
    "BlockingFlow",
    "Capture",
    "CaptureUnusable",
    "HttpClient",
    "NotAtRest",
    "Parked",
    "RealSleep",
    "Replay",
    "ReplayedHop",
    "Response",
    "Running",
    "RunningFlow",
    "SentMessage",
    "Unexpected",
    "load_capture",
    "load_history",
    "replay",
    "replay_history",
    "running",
)


def __getattr__(name: str) -> Any:
    if name not in _SOURCES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_SOURCES[name]), name)
    globals()[name] = value
    return value
