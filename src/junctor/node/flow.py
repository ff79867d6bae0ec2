"""``Flow`` and ``run``: a composition of services, and the two ways to bring it to life."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self

from junctor.clock import Clock
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel, Overrides, flow_name, flow_of_module, load, loading, wire
from junctor.flows.model import known_words
from junctor.node.address import Address, parse_address
from junctor.node.directory import data_directory
from junctor.node.node import Node, Plan


class Flow(FlowModel):
    """Named services with their connections and policies, and what runs them.

    ::

        flow = Flow("machine").add(Monitor()).add(Alarm(limit=75), pool=4, key="sensor")

        async with flow.running() as node:
            await node.target("alarm", Reading).send(Reading("cpu", 93.0))
    """

    @classmethod
    def of(cls, model: FlowModel, name: str | None = None) -> Self:
        """A flow with the services of ``model``, under another name where one is given."""
        return cls(name or model.name)._like(model)

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        *,
        overlays: Sequence[str | Path] = (),
        env_files: Sequence[str | Path] = (),
        set: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> Self:
        """The flow of a file, flow.yaml or a Python file, with what is said over it, as ``junctor run`` has it.

        :param overlays: files merged over it, in order.
        :param env_files: files of ``NAME=value`` lines for ``${NAME}``, under the environment.
        :param set: ``{"alarm.limit": 90}``; values count as text.
        :raises ConfigurationError: all that is wrong with the files, each with its place.
        """
        overrides = Overrides(
            overlays=tuple(map(str, overlays)),
            env_files=tuple(map(str, env_files)),
            set=tuple(f"{setting}={value}" for setting, value in (set or {}).items()),
            name=name,
        )
        return cls.of(load(str(path), overrides))

    def running(
        self,
        *,
        transport: str = "sqlite",
        store: str | Path | None = None,
        http: bool | str | None = None,
        clock: Clock | None = None,
        logs: bool = False,
    ) -> AbstractAsyncContextManager[Node]:
        """Run the flow inside ``async with``: in a test, in Jupyter, in a program of your own.

        :param transport: "sqlite" keeps messages in the data directory, "memory" keeps nothing.
        :param store: the data directory; $JUNCTOR_STORE, $STATE_DIRECTORY or ./.junctor/FLOW by default. With "memory"
            one is used only when given, for the control socket.
        :param http: "host:port" to listen on, True for a free port of 127.0.0.1, None for no listener.
        :param clock: a virtual clock in tests.
        :param logs: write logs to standard error; otherwise the logging of the program stays as it is.
        :raises ConfigurationError: something in the flow is wrong.
        :raises JunctorError: the store, the control socket or the port cannot be used.
        """
        directory = data_directory(self.name, store) if store or transport != "memory" else None
        address = None if http is None or http is False else Address(port=0) if http is True else parse_address(http)
        plan = Plan(flows=[wire(self)], transport=transport, directory=directory, http=address, clock=clock)
        return _running(plan, logs)


@asynccontextmanager
async def _running(plan: Plan, logs: bool) -> AsyncIterator[Node]:
    with ExitStack() as undo:
        for step in _log_steps(logs):
            undo.callback(step())
        async with Node(plan) as node:
            yield node


def _log_steps(logs: bool) -> list[Callable[[], Callable[[], None]]]:
    from junctor.observe.logs import configure, join_hops

    return [configure, join_hops] if logs else [join_hops]


@known_words
def run(
    *services: Any,
    name: str | None = None,
    transport: str = "sqlite",
    store: str | Path | None = None,
    host: str | None = None,
    port: int | None = None,
    log_level: str = "info",
) -> None:
    """Run services, or one flow, until Ctrl-C: ``run(Cpu(limit=75))`` at the end of a script.

    Without services it runs what ``junctor run`` finds in the script. The command line is left to the script: options
    like ``--port`` are those of ``junctor run``, and a warning says so. Returns after a clean stop; otherwise ends the
    program with exit code 78 (wrong configuration) or 70 (anything else), and the reason on standard error.

    :param services: :class:`Service` objects or classes, modules with marked functions, or one :class:`Flow`.
    :param name: the name of the flow; the stem of the script by default.
    :param store: the data directory; $JUNCTOR_STORE, $STATE_DIRECTORY or ./.junctor/FLOW by default.
    :param port: of the listener; $PORT, or 8080 (if taken, another) by default. There is a listener when a service has
        a route or action, or an address is given.
    """
    from junctor.node.process.launch import Options, launch

    if loading():
        raise ConfigurationError(
            "run() is called while the file is imported",
            where=loading(),
            fix='Put it under if __name__ == "__main__":, so that `junctor run` can import the file.',
        )
    if asyncio._get_running_loop() is not None:
        raise ConfigurationError(
            "run() would block the event loop that runs already",
            where="run()",
            fix="Write `async with flow.running() as node:` in async code and in notebooks.",
        )
    given = {"name": name, "store": store, "host": host, "port": port, "set": None}
    given |= {"transport": transport if transport != "sqlite" else None}
    given |= {"log-level": log_level if log_level != "info" else None}
    _warn_of_options(sys.argv, given)
    options = Options(
        transport=transport,
        store=store,
        host=host,
        port=port,
        log_level=log_level,
        listen="when-needed",
    )
    code = launch(lambda: [_flow(services, name)], options)
    if code:
        raise SystemExit(code)


def _warn_of_options(argv: list[str], given: Mapping[str, Any]) -> None:
    """Say it when somebody gives options of ``junctor run`` to a script that does not read them.

    :param given: what ``run()`` was called with, by the names of the options. A script that hands over what stands on
        its command line reads it.
    """
    ours: list[str] = []
    for position, word in enumerate(argv[1:], 1):
        option, sign, value = word.partition("=")
        value = value if sign else "".join(argv[position + 1 : position + 2])
        known = given.get(option[2:], value) if option.startswith("--") else value
        if known is None or str(known) != value:
            ours += [word] if sign else argv[position : position + 2]
    if ours:
        script = os.path.relpath(argv[0]) if argv[0] else "FILE"
        command = shlex.join(["junctor", "run", script, *ours])
        names = ", ".join(dict.fromkeys(word.partition("=")[0] for word in ours if word.startswith("--")))
        sys.stderr.write(f"junctor: run() does not read {names}, so it has no effect. Use: {command}\n")


def _flow(services: tuple[Any, ...], name: str | None) -> Flow:
    main = sys.modules["__main__"]
    if not services:
        return Flow.of(flow_of_module(main), name)
    if isinstance(services[0], FlowModel):
        if len(services) > 1:
            raise ConfigurationError("run() takes services or one flow, not both", fix="Add the services to the flow.")
        return Flow.of(services[0], name)
    flow = Flow(name or _script_name(main))
    for service in services:
        flow.add(service)
    return flow


def _script_name(main: Any) -> str:
    # An interactive session has no file.
    return flow_name(main) if getattr(main, "__file__", None) else "session"
