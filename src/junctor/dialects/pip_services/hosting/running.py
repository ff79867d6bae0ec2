"""``run()`` of a process: its container in a node, until it is asked to stop."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable

from junctor.core.lifecycle import State
from junctor.dialects.pip_services.commons.errors import ApplicationException, ErrorCategory
from junctor.dialects.pip_services.commons.refer import ReferenceException
from junctor.dialects.pip_services.components.build import CreateException
from junctor.dialects.pip_services.components.log import ILogger
from junctor.dialects.pip_services.container.command_line import CommandLine
from junctor.dialects.pip_services.container.process_container import ProcessContainer
from junctor.dialects.pip_services.container.refer.naming import told
from junctor.dialects.pip_services.hosting.flow import flow_of
from junctor.dialects.pip_services.hosting.hosted import Hosted
from junctor.dialects.pip_services.hosting.lines import join_lines
from junctor.errors import ConfigurationError, JunctorError, PortInUse, StoreLocked
from junctor.flows import FlowModel, wire
from junctor.node.address import Address
from junctor.node.directory import data_directory
from junctor.node.node import GRACE, Node, Plan
from junctor.node.process.ending import Ending
from junctor.observe.frames import traceback_text, users_part
from junctor.observe.logs import join_hops
from junctor.observe.prints import join_prints

CONFIGURATION, INTERNAL = 78, 70
_FAILED = "the container did not open"
_FIXES: dict[type, str] = {
    PortInUse: "Give the endpoint another port in the configuration file, or stop the process that uses it.",
    StoreLocked: "Stop the other process, or give this one a folder of its own in the variable JUNCTOR_STORE.",
}
"""What helps a program that reads no options of ``junctor run``."""


class Process:
    """One run of a container."""

    def __init__(self, container: ProcessContainer) -> None:
        self._container = container
        self._hosted = Hosted(container, self._not_opened, self._ends)
        self._node: Node | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._error: Exception | None = None
        self._asked_at = 0.0

    def run(self, line: CommandLine) -> int:
        """The exit code."""
        try:
            self._container.read_config(line)
            flow = flow_of(self._hosted)
        except Exception as error:  # noqa: BLE001 - the components are the program's
            return self._tell(error)
        ending = Ending()
        undo = [join_lines(self._container), join_hops(), join_prints()]
        try:
            with ending, asyncio.Runner(loop_factory=_loop_factory()) as runner:
                runner.run(self._main(flow, ending))
                self._close()
                ending.stopped = True
        except JunctorError as error:
            return self._tell(error)
        finally:
            for step in reversed(undo):
                step()
        code = 0 if self._error is None else _code_of(self._error)
        ending.see_to_exit(code)
        return code

    async def _main(self, flow: FlowModel, ending: Ending) -> None:
        self._loop = asyncio.get_running_loop()
        self._logger.info(self._name, "Press Control-C to stop the microservice...")
        address = None if flow.http is None else Address()
        plan = Plan(flows=[wire(flow)], directory=data_directory(flow.name, None), http=address)
        node = self._node = Node(plan)
        ending.watch(node)
        node.on_asked = self._asked(node.on_asked)
        try:
            await node.start()
            await node.asked_to_stop()
            await node.stop()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not node.stop_reason or task is None:
                raise
            task.uncancel()  # asked to stop while components were still being opened
        if node.failure is not None:
            raise node.failure

    def _ends(self) -> bool:
        return self._node is not None and self._node.state is State.STOPPING

    def _close(self) -> None:
        """Close the container, when the node has stopped, in what is left of the time in which a process ends; one that
        is still being opened is left to its end."""
        if not self._container.is_open():
            return
        left = GRACE - (time.monotonic() - (self._asked_at or time.monotonic()))
        try:
            self._hosted.close_within(max(left, 1.0))
        except Exception as error:  # noqa: BLE001 - it is the program's, and in the log
            self._error = self._error or error
            _show(error)

    @property
    def _name(self) -> str:
        return self._container.name

    @property
    def _logger(self) -> ILogger:
        return self._container._logger

    def _asked(self, arm: Callable[[], object] | None) -> Callable[[], None]:
        """Called when the node is asked to stop, once or more often."""
        said = False

        def asked() -> None:
            nonlocal said
            self._asked_at = self._asked_at or time.monotonic()
            if arm is not None:
                arm()
            if self._error is None and not said:
                said = True
                self._logger.info(self._name, "Goodbye!")

        return asked

    def _not_opened(self, error: Exception) -> None:
        """Called in a thread: a process whose container does not open ends."""
        self._error = error
        _show(error)
        if self._loop is not None and self._node is not None:
            self._loop.call_soon_threadsafe(self._node.ask_stop, _FAILED)

    def _tell(self, error: Exception) -> int:
        if type(error) in _FIXES and isinstance(error, JunctorError):
            error = type(error)(error.what, where=error.where, fix=_FIXES[type(error)])
        self._logger.fatal(self._name, None, "Failed to start container: %s", told(error))
        _show(error)
        return _code_of(error)


def run(container: ProcessContainer, line: CommandLine) -> int:
    """Run a container until it is asked to stop; the exit code."""
    return Process(container).run(line)


def _show(error: BaseException) -> None:
    """Where in the program it happened, unless the text says all: the line in the log comes before it."""
    shown = error.__cause__ if isinstance(error, CreateException) and error.__cause__ is not None else error
    if isinstance(shown, ApplicationException | JunctorError):
        return
    sys.stderr.write(traceback_text(shown, users_part(shown.__traceback__)))
    sys.stderr.flush()


def _code_of(error: Exception) -> int:
    if isinstance(error, ConfigurationError | ReferenceException):
        return CONFIGURATION
    categories = (ErrorCategory.Misconfiguration, ErrorCategory.FileError)
    return CONFIGURATION if isinstance(error, ApplicationException) and error.category in categories else INTERNAL


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # no wheel for this platform
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
