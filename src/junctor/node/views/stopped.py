"""What commands read, whether the node runs or not: the same questions to its control socket, or to its store."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol, TypeVar

import msgspec

from junctor.node.alerting import book
from junctor.node.alerting.alerting import OpenAlert
from junctor.node.capture.file import Capture
from junctor.node.capture.making import stored_capture
from junctor.node.control.client import NodeClient
from junctor.node.sensitive import KEY, sensitive_in
from junctor.node.switches import ADDRESS, paused_in
from junctor.node.switches import KEY as PAUSED
from junctor.node.views import answers
from junctor.node.views.alerts import AlertView, latest_alerts, open_when_down
from junctor.node.views.messages import MessageView
from junctor.node.views.parked import ParkedView
from junctor.node.views.runs import RunFilter, RunHistory, RunView, find_run, history_of, listed_runs
from junctor.node.views.search import Filter
from junctor.node.views.status import NodeStatus, size_of_store, status_when_down
from junctor.node.views.trace import Trace
from junctor.observe.masking import MaskedArchive

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds for an answer that changes nothing: a search through millions of messages, not more."""


WHOLE_SESSION = 60.0
"""Seconds for a whole session, which may have any number of hops."""


class Reading(Protocol):
    """The questions that change nothing."""

    running: bool

    def status(self) -> NodeStatus: ...

    def messages(self, filter: Filter, bodies: bool = False) -> list[MessageView]: ...

    def trace(self, which: str, whole: bool = False) -> Trace: ...

    def capture(self, which: str) -> Capture: ...

    def parked(self, service: str | None = None, group: str | None = None, members: int = 0) -> list[ParkedView]: ...

    def runs(self, filter: RunFilter) -> list[RunView]: ...

    def run(self, which: str, limit: int = 200) -> RunHistory: ...

    def alerts(self, limit: int) -> list[AlertView]: ...

    def open_alerts(self) -> list[OpenAlert]: ...


class Live:
    """A node that runs, asked through its control socket."""

    running = True

    def __init__(self, client: NodeClient) -> None:
        self._client = client

    def status(self) -> NodeStatus:
        return self._ask("status", NodeStatus)

    def messages(self, filter: Filter, bodies: bool = False) -> list[MessageView]:
        return self._ask("messages", list[MessageView], bodies=bodies, **msgspec.to_builtins(filter))

    def trace(self, which: str, whole: bool = False) -> Trace:
        return self._ask("trace", Trace, WHOLE_SESSION, which=which, whole=whole)

    def capture(self, which: str) -> Capture:
        return self._ask("capture", Capture, WHOLE_SESSION, which=which)

    def parked(self, service: str | None = None, group: str | None = None, members: int = 0) -> list[ParkedView]:
        return self._ask("parked", list[ParkedView], service=service, group=group, members=members)

    def runs(self, filter: RunFilter) -> list[RunView]:
        return self._ask("runs", list[RunView], **msgspec.to_builtins(filter))

    def run(self, which: str, limit: int = 200) -> RunHistory:
        return self._ask("run", RunHistory, WHOLE_SESSION, which=which, limit=limit)

    def alerts(self, limit: int) -> list[AlertView]:
        return self._ask("alerts", list[AlertView], limit=limit)

    def open_alerts(self) -> list[OpenAlert]:
        return self._ask("alerts-open", list[OpenAlert])

    def _ask(self, operation: str, kind: type[T], patience: float = PATIENCE, /, **arguments: Any) -> T:
        answer: T = self._client.ask(operation, kind, patience=patience, **arguments)
        return answer


class StoppedNode:
    """A node that does not run; its store is opened for reading only.

    :raises NodeNotFound: the directory holds no store.
    """

    running = False

    def __init__(self, directory: Path) -> None:
        from junctor.store.identity import read_identity
        from junctor.store.reader import open_archive

        self._directory = directory
        self._store = open_archive(directory)
        known = sensitive_in(self._store.state(ADDRESS, KEY))
        self._archive = MaskedArchive(self._store, lambda: known)
        identity = read_identity(directory)
        self._name = identity.node if identity is not None else directory.name

    def status(self) -> NodeStatus:
        paused = paused_in(self._store.state(ADDRESS, PAUSED))
        from junctor.store.room import measure

        found = status_when_down(self._archive, self._name, str(self._directory), paused)
        found.store_size = size_of_store(measure(self._directory))
        return found

    def messages(self, filter: Filter, bodies: bool = False) -> list[MessageView]:
        return answers.messages(self._archive, filter, bodies)

    def trace(self, which: str, whole: bool = False) -> Trace:
        return answers.trace(self._archive, which, whole)

    def capture(self, which: str) -> Capture:
        return stored_capture(self._archive, which, self._name)

    def parked(self, service: str | None = None, group: str | None = None, members: int = 0) -> list[ParkedView]:
        return answers.parked(self._archive, service, group, members)

    def runs(self, filter: RunFilter) -> list[RunView]:
        return listed_runs(self._archive, filter)

    def run(self, which: str, limit: int = 200) -> RunHistory:
        return history_of(self._archive, find_run(self._archive, which), limit)

    def alerts(self, limit: int) -> list[AlertView]:
        return latest_alerts(self._archive, limit)

    def open_alerts(self) -> list[OpenAlert]:
        return open_when_down(self._archive, book.book_in(self._store.state(book.ADDRESS, "")))

    def close(self) -> None:
        """Let go of the store. Idempotent."""
        self._store.close()
