"""The door of a business process: what its callbacks ask for becomes part of their conversation."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, NoReturn

from junctor.core.port import Link
from junctor.core.spec import service_name
from junctor.dialects.iop.hosting.door import PortDoor, headers_of
from junctor.dialects.iop.hosting.process.names import asked_name, timer_name
from junctor.dialects.iop.hosting.types import is_message_class

if TYPE_CHECKING:
    from junctor.dialects.iop.hosting.process.bridge import Bridge


class JobDoor(PortDoor):
    """The door of a job: its hooks belong to no request."""

    def ask(self, target: str, request: Any, description: str | None, key: str | None) -> None:
        """:raises RuntimeError: always."""
        fix = "Use send_request_sync, or response_required=False."
        self._refuse(f"send to {target!r} and have the reply come to on_response", fix)

    def timer(self, seconds: float, key: str | None) -> None:
        """:raises RuntimeError: always."""
        self._refuse("set a timer", "Set it in on_message.")

    def reply(self, response: Any) -> None:
        """:raises RuntimeError: always."""
        self._refuse("reply", "Reply in a callback of a request.")

    def _refuse(self, what: str, fix: str) -> NoReturn:
        raise RuntimeError(f"{self.item} cannot {what} here: on_init and on_tear_down belong to no request. {fix}")


class ConversationDoor(PortDoor):
    """See :class:`~junctor.dialects.iop.components.door.ProcessDoor`. ``started`` says that the callback has set a
    timer."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge.job.item.name, bridge.job.port, bridge.job.hosted.door.log)
        self.started = False
        self._bridge = bridge
        self._links: dict[tuple[str, type, Any], Link] = {}

    def link(self, target: str, request: Any, reply: Any = None) -> Link:
        """As of any component; what one callback has found once it finds again."""
        way = (target, type(request), reply)
        found = self._links.get(way)
        if found is None:
            found = self._links[way] = super().link(target, request, reply)
        return found

    def ask(self, target: str, request: Any, description: str | None, key: str | None) -> None:
        """A request whose reply comes to ``on_response``."""
        service = service_name(target)
        kind = type(request) if is_message_class(type(request)) else Any
        link = self._bridge.target(service, kind, Any)
        link.ask(request, name=asked_name(service, key), headers=headers_of(description))

    def timer(self, seconds: float, key: str | None) -> None:
        """Call ``on_response`` after a time; a timer with the same key is replaced."""
        self._bridge.timer(seconds, name=timer_name(key))
        self.started = True

    def reply(self, response: Any) -> None:
        """Answer the request that began the process, with what the response is now."""
        self._bridge.reply(copy.deepcopy(response))
