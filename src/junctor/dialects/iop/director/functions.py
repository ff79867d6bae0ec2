"""The functions of ``iop.runtime.director``: what a :class:`LocalDirector` does, for the namespace of the environment.

``DirectorProtocol`` says what each of them does.
"""

from __future__ import annotations

from collections.abc import Iterator

from junctor.dialects.iop.director.local import LocalDirector
from junctor.dialects.iop.director.log import EventLog, LogRow

__all__ = (
    "apply_production_plan",
    "export_production",
    "export_production_connections",
    "export_production_queue_info",
    "format_log",
    "get_default_production",
    "list_bindings",
    "list_productions",
    "log_production",
    "log_production_top",
    "migrate",
    "read_log",
    "read_top_log",
    "restart_component",
    "restart_production",
    "set_default_production",
    "setup",
    "shutdown_production",
    "start_component",
    "start_production",
    "start_production_with_log",
    "status_production",
    "stop_component",
    "stop_production",
    "test_component",
    "unbind_component",
    "update_production",
)

_here = LocalDirector()

get_default_production = _here.get_default_production
set_default_production = _here.set_default_production
list_productions = _here.list_productions
status_production = _here.status_production
start_production = _here.start_production
start_production_with_log = _here.start_production_with_log
stop_production = _here.stop_production
shutdown_production = _here.shutdown_production
restart_production = _here.restart_production
update_production = _here.update_production
start_component = _here.start_component
stop_component = _here.stop_component
restart_component = _here.restart_component
list_bindings = _here.list_bindings
unbind_component = _here.unbind_component
log_production_top = _here.log_production_top
log_production = _here.log_production
test_component = _here.test_component
export_production = _here.export_production
export_production_connections = _here.export_production_connections
export_production_queue_info = _here.export_production_queue_info
apply_production_plan = _here.apply_production_plan
setup = _here.setup
migrate = _here.migrate


def read_top_log(top: int = 10) -> list[LogRow]:
    """The last rows of the log, oldest first."""
    return _log().last(top)


def read_log() -> Iterator[LogRow]:
    """The last rows of the log, then each as it comes, without end."""
    return _log().stream()


def format_log(row: LogRow) -> str:
    """A row as ``iop --log`` writes it."""
    return str(row)


def _log() -> EventLog:
    place = _here.place
    production = place.meant()
    return EventLog(place.directory(production.name), production)
