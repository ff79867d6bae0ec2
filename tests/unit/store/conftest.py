"""A store without a loop and without threads: commits are applied where they are made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.core.records import Commit, Record
from junctor.messages import Kind, Message
from junctor.store.store import Store


class Bare:
    """An open store, with short ways to write and look."""

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory, reserve=0)
        self._number = self.store.first_number

    def number(self) -> int:
        self._number += 1
        return self._number

    def message(self, payload: bytes = b'{"n":1}', **fields: Any) -> Message:
        facts = {"source": "flow/source", "target": "flow/sink", "type": "Reading", "session": 1} | fields
        node, time = self.store.opened.node, 1000 + self._number
        return Message(seq=self.number() - 1, node=node, kind=Kind.SEND, payload=payload, time=time, **facts)

    def commit(self, **parts: Any) -> Commit:
        """Apply one commit; its error is raised."""
        [commit] = self.commits(parts)
        return commit

    def commits(self, *several: dict[str, Any]) -> list[Commit]:
        """Apply several as one group; the first error is raised."""
        group = [Commit(lambda commit, error: None, **parts) for parts in several]
        report = self.store.journal.apply(group)
        if self.store.journal.checkpoint_is_due:
            self.store.journal.checkpoint()
        for _, error in report.verdicts:
            if error is not None:
                raise error
        return group

    def record(self, message: Message) -> Record:
        record = self.store.archive.record(message.seq)
        assert record is not None
        return record

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self.store._db.execute(sql))


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Bare]:
    made = Bare(tmp_path / "store")
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    """One store for all examples of a test: hypothesis runs its function many times."""
    made = Bare(tmp_path_factory.mktemp("lasting"))
    yield made
    made.store.close()
