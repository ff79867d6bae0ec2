"""A service whose handler ends its process in the way that a message asks for."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass

from junctor import Park, Service, handler


@dataclass
class Deed:
    how: str
    number: int = 0


def connection() -> int:
    """The descriptor of this process that leads to the node."""
    return int(sys.argv[1])


def no_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (512 * 1024 * 1024, resource.RLIM_INFINITY))
    bytearray(1024 * 1024 * 1024)


def recurse(depth: int) -> int:
    return recurse(depth + 1)


def lying_down() -> None:
    """Forks a child that runs on to the end of the handler."""
    if os.fork() == 0:
        return
    time.sleep(0.2)


def spin() -> None:
    while True:
        pass


DEEDS = {
    "spin": spin,
    "nap": lambda: time.sleep(0.02),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "segv": lambda: ctypes.string_at(0),
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "memory": no_memory,
    "recursion": lambda: recurse(0),
    "sysexit": lambda: sys.exit(4),
    "close": lambda: os.closerange(3, 256),
    "shutdown": lambda: (socket.socket(fileno=os.dup(connection())).shutdown(socket.SHUT_RDWR), time.sleep(30)),
    "garbage": lambda: (os.write(connection(), b"\x00\x00\x00\x03abc" * 9), time.sleep(30)),
    "term": lambda: (os.kill(os.getpid(), signal.SIGTERM), os.kill(os.getpid(), signal.SIGINT), time.sleep(0.05)),
    "print": lambda: os.write(1, b"no frame\n"),
    "fork": lying_down,
    "raise": lambda: (_ for _ in ()).throw(ValueError("just so")),
    "park": lambda: (_ for _ in ()).throw(Park("no use")),
    "thread": lambda: threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGKILL)).start() or time.sleep(30),
}


class Deadly(Service):
    done: list[int] = []

    @handler
    def on(self, deed: Deed) -> int:
        self.log.info("%s %s", deed.how, deed.number)
        if deed.how:
            DEEDS[deed.how]()
        return os.getpid()
