"""What a node tells the service manager that started it: systemd's notification protocol, in plain Python.

The manager names a datagram socket in ``$NOTIFY_SOCKET`` and its patience in ``$WATCHDOG_USEC``. Without them nothing
is sent. Both are taken out of the environment, so that no child of the node speaks in its name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Protocol

from junctor.core.lifecycle import Lifecycle, State

LOOK = 1.0
"""Seconds between two looks at the services, for the line that `systemctl status` shows."""
_NAMED = 3  # services that a status line names of each state
_TROUBLE = (State.FAILED, State.BACKOFF, State.HELD, State.PAUSED, State.STARTING)


class Hosted(Protocol):
    """A service as far as its state goes."""

    @property
    def service(self) -> str: ...

    @property
    def lifecycle(self) -> Lifecycle: ...


class Notifier:
    """Tells the service manager. Never raises and never waits: a manager that does not listen is no reason to fail.

    :param address: a path, or ``@name`` of Linux's abstract sockets; empty: nobody listens.
    :param watchdog: the manager restarts a node that is silent for so many seconds; 0: it does not.
    """

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self.address = address
        self.watchdog = watchdog

    def __bool__(self) -> bool:
        return bool(self.address)

    def tell(self, *lines: str) -> None:
        """Send ``NAME=value`` lines as one datagram."""
        if not self.address:
            return
        path = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as link:
            link.setblocking(False)
            link.sendto("\n".join(lines).encode(errors="backslashreplace"), path)

    def status(self, text: str) -> None:
        """The line that `systemctl status` shows."""
        self.tell(_status(text))

    def stopping(self, reason: str, seconds: float) -> None:
        """The node stops and takes up to so many seconds, whatever the unit allows."""
        self.tell("STOPPING=1", _status(f"stopping: {reason}"), f"EXTEND_TIMEOUT_USEC={_usec(seconds)}")

    @contextmanager
    def following(self, hosts: Mapping[str, Hosted], debugged: Callable[[], bool]) -> Iterator[Pulse]:
        """Inside the event loop: feed the watchdog while it turns, and keep the status line true.

        :param debugged: whether a debugger is attached. It may hold the loop for as long as somebody thinks.
        """
        pulse = Pulse(self, hosts, debugged)
        if self.address:
            pulse.start()
        try:
            yield pulse
        finally:
            pulse.stop()


class Pulse:
    """The life sign of one event loop."""

    def __init__(self, notifier: Notifier, hosts: Mapping[str, Hosted], debugged: Callable[[], bool]) -> None:
        self._notifier = notifier
        self._hosts = hosts
        self._debugged = debugged
        self._pause = min(LOOK, notifier.watchdog / 2 or LOOK)
        self._said = ""
        self._silent = False
        self._timer: asyncio.TimerHandle | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        self._beat(asyncio.get_running_loop())
        if self._notifier.watchdog:
            watcher = threading.Thread(target=self._watch, name="junctor watchdog feed", daemon=True)
            watcher.pydev_do_not_trace = True  # type: ignore[attr-defined]  # debuggers stop all threads but these
            watcher.start()

    def stop(self) -> None:
        self._ended.set()
        if self._timer is not None:
            self._timer.cancel()

    def ready(self) -> None:
        """Every service runs, or has visibly failed: one that fails must not let the manager end its neighbours."""
        self._said = summary(self._hosts.values())
        self._notifier.tell("READY=1", _status(self._said))

    @contextmanager
    def reloading(self) -> Iterator[None]:
        """While the node changes to another flow: the manager shows it as reloading."""
        self._silent = True
        now = time.monotonic_ns() // 1000
        self._notifier.tell("RELOADING=1", f"MONOTONIC_USEC={now}", _status("changing to what the flow says now"))
        try:
            yield
        finally:
            self._silent = False
            self.ready()

    def stopping(self, reason: str, seconds: float) -> None:
        """See :meth:`Notifier.stopping`; the watchdog is fed until the end."""
        self._silent = True
        self._notifier.stopping(reason, seconds)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        said = self._said if self._silent else summary(self._hosts.values())
        lines = [_status(said)] if said != self._said else []
        self._said = said
        if self._notifier.watchdog:
            lines.append("WATCHDOG=1")
        if lines:
            self._notifier.tell(*lines)
        self._timer = loop.call_later(self._pause, self._beat, loop)

    def _watch(self) -> None:
        while not self._ended.wait(self._notifier.watchdog / 2):
            if self._debugged():
                self._notifier.tell("WATCHDOG=1")


def taken(env: MutableMapping[str, str] | None = None) -> Notifier:
    """The notifier that the environment names; its variables are gone from there afterwards."""
    env = os.environ if env is None else env
    address = env.pop("NOTIFY_SOCKET", "")
    period, meant = env.pop("WATCHDOG_USEC", ""), env.pop("WATCHDOG_PID", "")
    # Set for a parent that is not us, a shell for example: then it is not ours to feed.
    ours = not meant or meant == str(os.getpid())
    watchdog = int(period) / 1e6 if ours and period.isdigit() else 0.0
    return Notifier(address if address[:1] in ("/", "@") else "", watchdog)


def summary(hosts: Iterable[Hosted]) -> str:
    """``4 services run``; or how many of them do, and which do not, with the reason where it is a single one."""
    every = list(hosts)
    running = sum(host.lifecycle.state is State.RUNNING for host in every)
    if running == len(every):
        return f"{running} service{'s' if running != 1 else ''} run{'' if running != 1 else 's'}"
    parts = [f"{running} of {len(every)} services run"]
    parts += [told for state in _TROUBLE if (told := _named(state, every))]
    return "; ".join(parts)


def _named(state: State, hosts: list[Hosted]) -> str:
    those = [host for host in hosts if host.lifecycle.state is state]
    if not those:
        return ""
    names = ", ".join(host.service for host in those[:_NAMED])
    more = f" and {len(those) - _NAMED} more" if len(those) > _NAMED else ""
    reason = those[0].lifecycle.reason if len(those) == 1 else ""
    return f"{state.value}: {names}{more}" + (f" ({reason[:120]})" if reason else "")


def _status(text: str) -> str:
    return f"STATUS={' '.join(text.split())}"


def _usec(seconds: float) -> int:
    return int(seconds * 1e6)
