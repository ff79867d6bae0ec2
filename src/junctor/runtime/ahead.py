"""Messages for workflows run ahead of the disk.

The code of a workflow reaches nothing outside of its turn: what it does is part of the commit of the turn. Commits are
applied in the order in which they were given, and that of the turn *needs* the one that brought its message, so it may
be made before that is on the disk. Both are then written in one group, and a run waits half as often. What leaves the
node, a reply, a receipt, a message to a service, goes out when its own commit is done, as ever.

A service may do anything when it gets a message, so its messages wait for the disk. So does one that may be known
already, because it has an origin.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from junctor.core.hop import Delivery, delivery_of
from junctor.messages import Status
from junctor.transports.base import Commit, Insert

if TYPE_CHECKING:
    from junctor.runtime.host import Host

log = logging.getLogger("junctor.dispatcher")

LIMIT = 1024
"""Messages that may be ahead in a node. Without it, runs that begin each other without an end would fill the memory."""

_CLAIMED = Status.CLAIMED


class Ahead:
    """Everything here runs on the node's event loop."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        self._under_way = 0

    def hand_over(self, commit: Commit) -> None:
        """Bring what may be ahead of its commit to its service. To be called before the commit is given."""
        for insert in commit.inserts:
            if insert.status is not _CLAIMED:
                continue
            host = self._hosts.get(insert.message.target)
            if host is not None and host.ahead and self._may(insert, host):
                insert.ahead = commit.leads = True
                self._under_way += 1
                delivery = delivery_of(insert.message)
                delivery.needs = commit
                host.mailbox.push(delivery)

    def _may(self, insert: Insert, host: Host) -> bool:
        message = insert.message
        return message.origin is None and self._under_way < LIMIT and host.mailbox.comes_next(message)

    def arrived(self) -> None:
        """A commit with one that was ahead is done, or refused: then its delivery runs all the same, and what it did is
        refused as well."""
        self._under_way -= 1


def has_fallen(delivery: Delivery) -> bool:
    """Whether its message was refused, so that nothing can come of it."""
    return delivery.needs is not None and delivery.needs.refused is not None


def drop(delivery: Delivery, host: Host) -> None:
    """Forget a delivery of a message that was refused, whatever it came to."""
    delivery.open = False
    log.info("%s: message %s was not accepted", host.address, delivery.message.id, extra={"hop": delivery})
    host.mailbox.finished(delivery, len(delivery.message.payload))
