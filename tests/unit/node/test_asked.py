"""What a word after `junctor trace` stands for."""

from __future__ import annotations

import pytest

from junctor.messages import Kind, Message, Status
from junctor.node.views.search import asked_for
from junctor.transports.base import Commit, Insert
from junctor.transports.memory import MemoryTransport


@pytest.mark.parametrize("node", ["03c6f4831b73", "a3c6f4831b73", "123456789012"])
@pytest.mark.parametrize("words", ["{node}-2", "2"])
async def test_an_id_is_found_whatever_its_node_begins_with(node: str, words: str) -> None:
    transport = MemoryTransport()
    message = Message(2, node, 77 << 64, Kind.SEND, "f/a", "f/b", "any", b"{}", 1)
    transport.commit(Commit(lambda commit, error: None, inserts=(Insert(message, Status.DONE),)))
    asked = asked_for(transport.archive, words.format(node=node))
    assert (asked.session, asked.seq) == (77 << 64, 2)


async def test_digits_that_begin_with_a_zero_are_of_a_session() -> None:
    transport = MemoryTransport()
    message = Message(2, "n", 0x0ABC << 112, Kind.SEND, "f/a", "f/b", "any", b"{}", 1)
    transport.commit(Commit(lambda commit, error: None, inserts=(Insert(message, Status.DONE),)))
    assert asked_for(transport.archive, "0abc").session == 0x0ABC << 112
