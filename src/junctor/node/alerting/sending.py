"""One way for a notice, whatever its destination is."""

from __future__ import annotations

from collections.abc import Callable

from junctor.flows.destinations import Command, Email, Webhook
from junctor.node.alerting.command import run
from junctor.node.alerting.mail import mail
from junctor.node.alerting.notice import Notice
from junctor.node.alerting.webhook import post


def send(
    destination: Webhook | Email | Command, notice: Notice, key: str, stopping: Callable[[], bool] = lambda: False
) -> None:
    """Send a notice, blocking, within the time of its way.

    :param key: the same for each attempt, for receivers that take the same thing once.
    :param stopping: whether the node stops: then there is less time.
    :raises NotDelivered: it did not arrive, as far as is known.
    """
    if isinstance(destination, Webhook):
        post(destination, notice, key, stopping)
    elif isinstance(destination, Email):
        mail(destination, notice, key, stopping)
    else:
        run(destination, notice, key, stopping)
