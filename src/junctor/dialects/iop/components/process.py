"""Business processes: one conversation for each request."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import msgspec

from junctor.dialects.iop.components.door import ProcessDoor
from junctor.dialects.iop.components.failures import as_expected
from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.untaken import tell_untaken
from junctor.dialects.iop.messages import checked
from junctor.dialects.iop.settings import TargetSettingRef


class BusinessProcess(BusinessHost):
    """A host that asks others and goes on with each reply.

    Each request has an instance of its own. What it sets on ``self`` is there in the later callbacks of the same
    request, also when the node was killed in between.
    """

    PERSISTENT_PROPERTY_LIST: ClassVar[list[str] | None] = None
    """Attributes that are stored between callbacks. All that can be stored is; the list is only checked."""

    _door: ProcessDoor

    def on_message(self, request: Any) -> Any:
        """Called with the request that begins the conversation; what it returns is the response so far."""
        return self.on_request(request)

    def on_request(self, request: Any) -> Any:
        """Called where ``on_message`` is not written. Where this is not either, a warning names the message."""
        tell_untaken(self, request)

    def on_response(
        self, request: Any, response: Any, call_request: Any, call_response: Any, completion_key: str | None
    ) -> Any:
        """Called with each reply to a ``send_request_async``, and when a timer is over.

        :param request: the one that began the conversation.
        :param response: the response so far; what this returns takes its place.
        :param call_request: what was sent.
        :param call_response: the reply.
        :param completion_key: the one given when it was sent.
        """
        return response

    def on_complete(self, request: Any, response: Any) -> Any:
        """Called when nothing is waited for any more; what it returns is the reply."""
        return response

    def send_request_async(
        self,
        target: str | TargetSettingRef,
        request: Any,
        description: str | None = None,
        completion_key: str | None = None,
        response_required: bool = True,
    ) -> None:
        """Send a message. Its reply comes to ``on_response``, however late.

        :param completion_key: what ``on_response`` gets with the reply.
        :param response_required: False where no reply is wanted.
        :raises TypeError: the request is no message.
        :raises RuntimeError: there is no such item.
        """
        if not response_required:
            super().send_request_async(target, request, description)
            return
        name = self._named(target)
        checked(request)
        with as_expected(name):
            self._door.ask(name, request, self._described(name, description), _key(completion_key))

    def set_timer(self, timeout: float | str, completion_key: str | None = None) -> None:
        """Have ``on_response`` called after a time; requests that are still open then are waited for no longer.

        :param timeout: seconds, or a duration of XML Schema: ``PT15S``, ``P1DT2H``.
        :raises ValueError: it is no such duration.
        """
        seconds = duration(timeout)
        with as_expected():
            self._door.timer(seconds, _key(completion_key))

    def reply(self, response: Any) -> None:
        """Answer the request now; the conversation goes on.

        :raises TypeError: the response is no message.
        """
        checked(response, "the reply")
        with as_expected():
            self._door.reply(response)


def duration(given: float | str) -> float:
    """Seconds of a number, or of a text as ``PT15S`` or ``15``.

    :raises ValueError: it is neither.
    """
    try:
        if isinstance(given, int | float) and not isinstance(given, bool) and given >= 0:
            return float(given)
        text = str(given).strip()
        return float(text) if text.isdigit() else msgspec.convert(text, timedelta).total_seconds()
    except (msgspec.ValidationError, UnicodeError, OverflowError):
        raise ValueError(f"{given!r} is neither a number of seconds nor a duration, for example PT15S") from None


def _key(completion_key: Any) -> str | None:
    """Keys are text in InterSystems IRIS, whatever a program gives."""
    return None if completion_key is None else str(completion_key)
