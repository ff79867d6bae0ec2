"""Alerts: what an operator should know, each with a stable kind, one sentence, and the command to run next.

Pure functions make the records; :func:`tell` writes one to the log. Keeping and sending them is for others.
"""

from __future__ import annotations

import logging

from junctor.core.records import AlertRecord

log = logging.getLogger("junctor.alerts")


def parked(now: int, service: str, message: str, seq: int, error: str) -> AlertRecord:
    """A message failed for good and was put aside."""
    return AlertRecord(now, "parked", service, f"message {message} is parked: {error}", f"junctor trace {message}", seq)


def held(now: int, service: str, reason: str, waiting: int) -> AlertRecord:
    """The other side of a service is away; ``waiting`` messages wait."""
    text = f"held with {_count(waiting, 'message')} waiting: {reason}"
    return AlertRecord(now, "held", service, text, "junctor status")


def flowing(now: int, service: str, seconds: float) -> AlertRecord:
    """A held service flows again."""
    return AlertRecord(now, "flowing", service, f"flows again after {seconds:.0f} s", "junctor status")


def failed(now: int, service: str, reason: str, failures: int, window: float) -> AlertRecord:
    """A service failed too often and stays stopped."""
    text = f"stopped after {_count(failures, 'failure')} in {window:.0f} s: {reason}"
    return AlertRecord(now, "service-failed", service, text, "junctor status")


def queue_full(now: int, service: str, count: int) -> AlertRecord:
    """The queue of a service reached its bound; senders wait or are refused."""
    text = f"the queue is full with {_count(count, 'message')}"
    return AlertRecord(now, "queue-full", service, text, f"junctor messages {_name(service)}")


def store_full(now: int, path: str, free: int) -> AlertRecord:
    """The disk has no room; new messages are refused, accepted ones are delivered."""
    text = f"the disk of {path} has {free // (1024 * 1024)} MiB left: new messages are refused, accepted ones go on"
    return AlertRecord(now, "store-full", "", text, f"df -h {path}")


def store_room(now: int, path: str) -> AlertRecord:
    """There is room again."""
    return AlertRecord(now, "store-room", "", f"the disk of {path} has room again: new messages are accepted")


def damaged(now: int, what: str) -> AlertRecord:
    """A record, or the end of the journal, failed its checksum and was put aside."""
    return AlertRecord(now, "damaged", "", what, "junctor alerts")


def suspects(now: int, count: int) -> AlertRecord:
    """The node did not stop cleanly; what it had in hand is delivered one at a time."""
    text = f"the node did not stop cleanly: {_count(count, 'message')} in hand are delivered one at a time"
    return AlertRecord(now, "unclean-stop", "", text, "junctor messages")


def blocked(now: int, service: str, handler: str, seconds: float) -> AlertRecord:
    """A handler blocks the event loop of the node."""
    text = f"{handler} blocks the whole node for {seconds:.1f} s: make it a plain `def`, or await in it"
    return AlertRecord(now, "loop-blocked", service, text, "junctor status")


def tell(alert: AlertRecord) -> None:
    """Write an alert to the log, as a warning."""
    run = f" (run: {alert.command})" if alert.command else ""
    log.warning("%s%s", alert.text, run, extra={"service": alert.service or "node"})


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _name(service: str) -> str:
    return service.rpartition("/")[2]
