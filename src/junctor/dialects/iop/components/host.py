"""Hosts: the components that are items of a production, and send."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, ClassVar

from junctor.clock import LONGEST
from junctor.core.port import Pending
from junctor.dialects.iop.components.component import Component
from junctor.dialects.iop.components.connections import connections_of
from junctor.dialects.iop.components.failures import as_expected
from junctor.dialects.iop.components.info import asked
from junctor.dialects.iop.components.logging import say
from junctor.dialects.iop.messages import checked, received
from junctor.dialects.iop.settings import TargetSettingRef
from junctor.errors import RequestError, RequestTimeout

OK, TIMED_OUT, FAILED = 1, 0, 2
"""The status of each request of :meth:`BusinessHost.send_multi_request_sync`."""


class BusinessHost(Component):
    """Base of services, processes and operations."""

    __junctor_dialect__: ClassVar[str] = "iop"

    DISPATCH: ClassVar[list[tuple[str, str]]] = []
    """Names of message classes, each with the method that takes it."""

    buffer: ClassVar[int] = 64_000
    """Kept for programs that set it; without effect here."""

    adapter: Any = None
    Adapter: Any = None

    _timed_out: bool = False

    @property
    def timed_out(self) -> bool:
        """Whether the last ``send_request_sync`` ended without a reply in time: it answers None then, as an empty reply
        does."""
        return self._timed_out

    def send_request_sync(
        self, target: str | TargetSettingRef, request: Any, timeout: float = -1, description: str | None = None
    ) -> Any:
        """Send a message and wait for the reply.

        :param target: the name of an item, of a native service of the flow, or of a target setting.
        :param timeout: seconds; -1 for ever.
        :param description: what the trace says of it; ``Class -> target`` by default.
        :returns: the reply; None where it did not come in time, and then ``timed_out`` is true and a warning is logged.
        :raises TypeError: the request is no message.
        :raises SerializationError: it has no JSON form.
        :raises RuntimeError: there is no such item, or it failed; with its text.
        """
        self._timed_out = False
        pending = self._request(target, request, timeout, description)
        try:
            with as_expected():
                return received(pending.result())
        except RequestTimeout as error:
            self._timed_out = True
            say(self, "Warning", error, None)
            return None

    def send_request_async(self, target: str | TargetSettingRef, request: Any, description: str | None = None) -> None:
        """Send a message; nothing comes back. The parameters and errors are those of :meth:`send_request_sync`."""
        name = self._named(target)
        checked(request)
        with as_expected(name):
            self._door.send(name, request, self._described(name, description))

    async def send_request_async_ng(
        self, target: str | TargetSettingRef, request: Any, timeout: float = -1, description: str | None = None
    ) -> Any:
        """Send a message and await the reply: ``asyncio.run`` and ``asyncio.gather`` do in every method of a component.

        :raises TimeoutError: no reply came in time. Else as :meth:`send_request_sync`.
        """
        pending = self._request(target, request, timeout, description)
        try:
            with as_expected():
                return received(await pending)
        except RequestTimeout as error:
            raise TimeoutError(str(error)) from error

    def send_multi_request_sync(
        self,
        target_request: list[tuple[str | TargetSettingRef, Any]],
        timeout: float = -1,
        description: str | None = None,
    ) -> list[tuple[str | TargetSettingRef, Any, Any, int]]:
        """Send several messages at once and wait for all replies.

        :param target_request: pairs of a target and a message.
        :param timeout: seconds for all of them together; -1 for ever.
        :returns: in the same order: target, request, response, and a status: 1 for a reply, 0 for none in time, 2 for
            an error, which is logged. The response is None then.
        :raises TypeError: it is no list, one of it is no pair, or a request is no message.
        :raises ValueError: the list is empty.
        """
        pairs = list(_pairs(target_request))
        for _, request in pairs:
            checked(request)
        asked = [self._request(target, request, timeout, description) for target, request in pairs]
        answers = []
        for (target, request), pending in zip(pairs, asked, strict=True):
            answers.append((target, request, *self._ended(pending)))
        return answers

    def send_generator_request(
        self, target: str, request: Any, timeout: float = -1, description: str | None = None
    ) -> Any:
        """Not offered yet.

        :raises NotImplementedError: always.
        """
        raise NotImplementedError(
            "send_generator_request is not offered yet. Send the requests one by one, or reply with a list"
        )

    def on_get_connections(self) -> list[str]:
        """The names of items that the component sends to: what ``OnGetConnections`` of its class answers, else what its
        code says."""
        told = asked(type(self), "OnGetConnections")
        return connections_of(self) if told is None else [str(name) for name in told]

    def _request(
        self, target: str | TargetSettingRef, request: Any, timeout: float, description: str | None
    ) -> Pending[Any]:
        name = self._named(target)
        checked(request)
        seconds = _seconds(timeout)
        with as_expected(name):
            return self._door.request(name, request, seconds, self._described(name, description))

    def _ended(self, pending: Pending[Any]) -> tuple[Any, int]:
        try:
            return received(pending.result()), OK
        except RequestTimeout as error:
            say(self, "Warning", error, None, depth=3)
            return None, TIMED_OUT
        except RequestError as error:
            say(self, "Error", error, None, depth=3)
            return None, FAILED

    def _named(self, target: str | TargetSettingRef) -> str:
        """The name of an item. A target setting stands for the item that it is connected to here."""
        if isinstance(target, TargetSettingRef):
            found = getattr(self, target.setting, "")
            if not found:
                raise RuntimeError(f"the target {target} is not connected to an item: connect it in the production")
            return str(found)
        if not isinstance(target, str):
            raise TypeError(f"a target is the name of an item, not {type(target).__name__}")
        if not target:
            raise RuntimeError(f"{self._who} sends to a target without a name: connect its setting in the production")
        return target

    def _described(self, target: str, description: Any) -> str:
        if description is not None and not isinstance(description, str):
            what = f"the description must be text or None; it is {type(description).__name__}"
            raise TypeError(f"{what}: of send_request_async, completion_key and response_required come behind it")
        return description or f"{type(self).__name__} -> {target}"

    @property
    def _who(self) -> str:
        return self._door.item or type(self).__name__


def _pairs(given: Any) -> Iterator[tuple[str | TargetSettingRef, Any]]:
    if not isinstance(given, list):
        raise TypeError(f"send_multi_request_sync takes a list of (target, request), not {type(given).__name__}")
    if not given:
        raise ValueError("send_multi_request_sync got an empty list: there is nothing to send")
    for place, pair in enumerate(given):
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"item {place} of the list is no pair (target, request) but {type(pair).__name__}")
        yield pair


def _seconds(timeout: Any) -> float:
    """Also of a text: settings from ``%settings`` are text, and InterSystems IRIS makes no difference."""
    try:
        seconds = -1.0 if timeout is None else float(timeout)
    except OverflowError:
        return -1.0
    except (TypeError, ValueError):
        seconds = math.nan
    if math.isnan(seconds):
        raise TypeError(f"timeout is a number of seconds, or -1 for ever, not {timeout!r}")
    return -1.0 if seconds < 0 or seconds >= LONGEST else seconds
