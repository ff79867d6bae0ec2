"""The flow on an engine that is broken on purpose: the checker has to notice, else it is void.

CRASH_LIE: ``early`` tells senders before the disk has it; ``apart`` commits the effects of a delivery before its
acknowledgement; ``shuffled`` hands out what a crash left in the wrong order; ``forgetful`` knows no duplicates.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import msgspec

from junctor.core.records import Commit, Opened
from junctor.transports.sqlite import SqliteTransport
from tests.crash.node.drivers import flow as honest

LATER = 0.4
LIE = os.environ["CRASH_LIE"]

_commit = SqliteTransport.commit
_open = SqliteTransport.open


def _quiet(commit: Commit, error: Exception | None) -> None: ...


def _early(self: Any, commit: Commit) -> None:
    if commit.external:
        done, commit.done = commit.done, _quiet
        done(commit, None)
        asyncio.get_running_loop().call_later(LATER, _commit, self, commit)
    else:
        _commit(self, commit)


def _apart(self: Any, commit: Commit) -> None:
    if commit.settles and commit.writes:
        rest = Commit(_quiet, settles=commit.settles)
        asyncio.get_running_loop().call_later(LATER, _commit, self, rest)
        commit.settles = ()
    _commit(self, commit)


def _forgetful(self: Any, commit: Commit) -> None:
    for insert in commit.inserts:
        insert.message = msgspec.structs.replace(insert.message, origin=None)
    _commit(self, commit)


async def _shuffled(self: Any, failed: Any) -> Opened:
    opened = await _open(self, failed)
    opened.suspects.reverse()
    return opened


if LIE == "shuffled":
    SqliteTransport.open = _shuffled  # type: ignore[method-assign]
else:
    SqliteTransport.commit = {"early": _early, "apart": _apart, "forgetful": _forgetful}[LIE]  # type: ignore[method-assign]

flow = honest.flow
