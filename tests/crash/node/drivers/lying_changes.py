"""Breaks a node where it changes: imported beside the code of the flow, on purpose, so that the checker has to notice.

CRASH_LIE: ``lost`` accepts what is sent during a change without keeping it; ``doubled`` forgets during a change what
was acknowledged; ``shuffled`` turns the queue of a service round that is replaced; ``deaf`` pauses in words only;
``repeated`` carries a request with an Idempotency-Key out as often as it comes; ``unjudged`` lets messages pass that no
condition could judge.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from junctor.core.condition import Condition
from junctor.core.hop import AskedHop
from junctor.core.policy import Policies
from junctor.errors import ConditionFailed
from junctor.http.idempotency import Ledger
from junctor.runtime.change import Change
from junctor.runtime.host import Host
from junctor.runtime.inbox import Inbox
from junctor.transports.base import Commit
from junctor.transports.sqlite import SqliteTransport

_commit = SqliteTransport.commit
_make = Change.make
_change = Inbox.change
_holds = Condition.holds
_changing = 0


async def _noted(self: Any, *how: Any) -> None:
    global _changing
    _changing += 1
    try:
        await _make(self, *how)
    finally:
        _changing -= 1


def _lost(self: Any, commit: Commit) -> None:
    if _changing and commit.external:
        commit.done(commit, None)
    else:
        _commit(self, commit)


def _doubled(self: Any, commit: Commit) -> None:
    if _changing and commit.settles and commit.writes:
        commit.settles = ()
    _commit(self, commit)


async def _shuffled(self: Inbox, policies: Policies, engine: Any) -> None:
    await _change(self, policies, engine)
    self.mailbox.ready.reverse()


def _deaf(self: Host, reason: str) -> None:
    self.pause_reason = reason


def _unjudged(self: Condition, *what: Any) -> bool:
    try:
        return _holds(self, *what)
    except ConditionFailed:
        return True


def _lie() -> None:
    Change.make = _noted  # type: ignore[method-assign]
    lies: dict[str, Callable[[], None]] = {
        "lost": lambda: setattr(SqliteTransport, "commit", _lost),
        "doubled": lambda: setattr(SqliteTransport, "commit", _doubled),
        "shuffled": lambda: setattr(Inbox, "change", _shuffled),
        "deaf": lambda: setattr(Host, "pause", _deaf),
        "repeated": _repeated,
        "unjudged": lambda: setattr(Condition, "holds", _unjudged),
    }
    lies[os.environ["CRASH_LIE"]]()


def _repeated() -> None:
    Ledger.find = lambda self, name: None  # type: ignore[method-assign]
    AskedHop.mark = lambda self, draft: draft  # type: ignore[method-assign]


if os.environ.get("CRASH_LIE"):
    _lie()
