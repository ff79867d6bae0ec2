"""A flow under test for blocking code: the same words, without ``await``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from junctor.testing._plant import NOTHING, Log, RunningFlow

if TYPE_CHECKING:
    from junctor.core.port import Receipt
    from junctor.core.records import AlertRecord
    from junctor.messages import Message
    from junctor.node.views.trace import Trace
    from junctor.testing._faults import When
    from junctor.testing._http import HttpClient, Response
    from junctor.testing._run import LoopThread
    from junctor.testing._verdict import ExpectParked, Parked

__tracebackhide__ = True  # of pytest: a failure is shown where the test is


class BlockingHttp:
    """See :class:`~junctor.testing.HttpClient`."""

    def __init__(self, client: HttpClient, loop: LoopThread) -> None:
        self._client = client
        self._loop = loop

    def get(self, path: str, **more: Any) -> Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Response:
        return self.request("POST", path, **more)

    def put(self, path: str, **more: Any) -> Response:
        return self.request("PUT", path, **more)

    def patch(self, path: str, **more: Any) -> Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> Response:
        return self.request("DELETE", path, **more)

    def request(self, method: str, path: str, **more: Any) -> Response:
        return self._loop.run(self._client.request(method, path, **more))


class BlockingFlow:
    """See :class:`~junctor.testing.RunningFlow`: each method does what the one of the same name does there."""

    def __init__(self, plant: RunningFlow, loop: LoopThread) -> None:
        self._plant = plant
        self.loop = loop
        self.name = plant.name

    @property
    def now(self) -> datetime:
        return self._plant.now

    def advance(self, duration: float | str) -> None:
        self.loop.run(self._plant.advance(duration))

    def advance_to(self, instant: datetime) -> None:
        self.loop.run(self._plant.advance_to(instant))

    def idle(self) -> None:
        self.loop.run(self._plant.idle())

    def send(
        self,
        service: str,
        body: Any,
        *,
        key: str | None = None,
        delay: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | str = 0,
    ) -> Receipt:
        return self.loop.run(self._plant.send(service, body, key=key, delay=delay, headers=headers, within=within))

    def request(
        self,
        service: str,
        body: Any,
        *,
        key: str | None = None,
        timeout: float | str | None = None,
        headers: Mapping[str, str] | None = None,
        within: float | str = 0,
    ) -> Any:
        return self.loop.run(
            self._plant.request(service, body, key=key, timeout=timeout, headers=headers, within=within)
        )

    def resend(
        self,
        message: Message | Receipt | Parked,
        *,
        to: str | None = None,
        again: bool = False,
        changes: Mapping[str, Any] | None = None,
    ) -> Receipt:
        return self.loop.run(self._plant.resend(message, to=to, again=again, changes=changes))

    def call(self, service: str, action: str, /, *, within: float | str = 0, **arguments: Any) -> Any:
        return self.loop.run(self._plant.call(service, action, within=within, **arguments))

    def restart(self) -> None:
        self.loop.run(self._plant.restart())

    @property
    def http(self) -> BlockingHttp:
        return BlockingHttp(self._plant.http, self.loop)

    @property
    def url(self) -> str:
        return self._plant.url

    @property
    def messages(self) -> list[Message]:
        return self._plant.messages

    def sent(self, target: str) -> list[Any]:
        return self._plant.sent(target)

    def received(self, service: str) -> list[Any]:
        return self._plant.received(service)

    def state(self, service: str, key: str | None = None) -> dict[str, Any]:
        return self._plant.state(service, key)

    @property
    def logs(self) -> list[Log]:
        return self._plant.logs

    @property
    def alerts(self) -> list[AlertRecord]:
        return self._plant.alerts

    def trace(self, message: Message | Receipt | Parked) -> Trace:
        return self._plant.trace(message)

    def capture(self, target: str, reply: Any = NOTHING) -> None:
        self._plant.capture(target, reply)

    def fail(
        self, place: str, error: BaseException | type[BaseException], times: int | None = 1, when: When | None = None
    ) -> None:
        self._plant.fail(place, error, times, when)

    @property
    def parked(self) -> list[Parked]:
        return self._plant.parked

    def expect_parked(
        self, error: type[BaseException] | str | None = None, *, match: str | None = None, times: int | None = None
    ) -> ExpectParked:
        return self._plant.expect_parked(error, match=match, times=times)

    def expect_failed(self, service: str) -> None:
        self._plant.expect_failed(service)

    def __repr__(self) -> str:
        return repr(self._plant)
