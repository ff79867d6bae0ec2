"""The base class of Service Factory: ``loop()``, called for ever, actions over HTTP, ``finalize()`` at the end."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from junctor.core.port import Port
from junctor.dialects.servicefactory.api import SHUTDOWN
from junctor.dialects.servicefactory.calls import Reply, ask
from junctor.dialects.servicefactory.signals import deferred
from junctor.dialects.servicefactory.token import read_url


class base:
    """Derive a service from it, give it a ``loop``, and call ``run()``::

        @Service.API.endpoint(port=1234)
        class Test(Service.base):
            def loop(self):
                self.log("looping...")
                time.sleep(5)

            @Service.API.handle("action")
            def handle_action(self, data):
                print(data)

        if __name__ == "__main__":
            Test().run()

    ``loop()`` and ``finalize()`` run in the main thread when the program calls ``run()``, so that Ctrl-C ends what they
    wait for; actions run in other threads meanwhile, many at a time.
    """

    __junctor_dialect__ = "servicefactory"
    PORT: ClassVar[int | None] = None
    _port: Port | None = None
    _prints = True
    _ends = False

    def loop(self) -> None:
        """What the service does, again and again. An exception is logged, and it goes on after a wait that grows."""
        raise NotImplementedError(f"{type(self).__name__} needs a method loop(self)")

    def finalize(self) -> None:
        """Called once at the end."""

    def log(self, message: object) -> None:
        """Say something: ``Test : looping...`` on standard output, in the log of a node that hosts the service."""
        if self._prints:
            sys.stdout.write(f"{type(self).__name__} : {message}\n")
            sys.stdout.flush()
        elif self._port is not None:
            self._port.log.info("%s", message)

    def run(self) -> None:
        """Run the service until Ctrl-C, SIGTERM or its action ``shutdown``.

        Ends the program with exit code 78 or 70, and the reason on standard error, where it cannot start.
        """
        with deferred() as came:
            from junctor.dialects.servicefactory.running import run

            code = run(self, came)
        if code:
            raise SystemExit(code)

    def shutdown(self) -> None:
        """End the service from its own code. Returns at once; ``finalize()`` is called when all else has ended."""
        from junctor.dialects.servicefactory.ending import REASON, shut_down

        self._ends = True
        self.log(REASON)
        shut_down(self._port)

    @classmethod
    def perform(cls, action: str, data: Any = None) -> Reply | None:
        """Do an action of the running service of this class, from any process of this machine. ``"shutdown"`` ends it.

        :param data: sent as JSON.
        :return: the answer; None for a class without an endpoint.
        :raises ServiceNotReached: it does not run.
        """
        return None if cls.PORT is None else ask(cls.PORT, action, data)

    @classmethod
    def url(cls, action: str, port: int | None = None) -> str:
        """Where an action of the class is: on its own port, or where the flow that it runs in has it.

        :param port: another one.
        """
        if port is None and cls.PORT is not None and (elsewhere := read_url(cls.PORT)):
            return f"{elsewhere}/{action}"
        return f"http://localhost:{port or cls.PORT}/{action}"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if SHUTDOWN in vars(cls) and not callable(vars(cls)[SHUTDOWN]):
            raise TypeError(f"{cls.__name__}.shutdown is no method")
