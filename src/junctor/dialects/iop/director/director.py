"""``Director``: how programs outside a production call its business services."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from junctor.dialects.iop.director import functions
from junctor.dialects.iop.director.place import Namespace
from junctor.dialects.iop.director.service import CalledService

F = TypeVar("F", bound=Callable[..., Any])


def _deprecated(function: F) -> Any:
    """A function of ``iop.runtime.director`` as the static method that it once was."""

    @functools.wraps(function)
    def call(*args: Any, **more: Any) -> Any:
        name = function.__name__
        text = f"Director.{name} is deprecated: use iop.runtime.director.{name}"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return function(*args, **more)

    return staticmethod(call)


class Director:
    """Calls business services of the production that runs, in this process or in another one.

    ::

        service = Director().get_business_service("Python.MyBusinessService")
        answer = service.on_process_input({"text": "hello"})
    """

    @staticmethod
    def get_business_service(name: str, force_session_id: bool = False) -> CalledService:
        """The business service of this name; that there is one is found out when it is called.

        A call begins a session. Made in a callback of a component, it belongs to the session of that callback.

        :param force_session_id: begin a session in any case.
        """
        return CalledService(name, Namespace(), new_session=force_session_id)

    @staticmethod
    def create_python_business_service(name: str) -> CalledService:
        """An older name of :meth:`get_business_service`."""
        return Director.get_business_service(name)

    create_business_service = CreateBusinessService = create_python_business_service

    start_production = _deprecated(functions.start_production)
    start_production_with_log = _deprecated(functions.start_production_with_log)
    stop_production = _deprecated(functions.stop_production)
    restart_production = _deprecated(functions.restart_production)
    shutdown_production = _deprecated(functions.shutdown_production)
    update_production = _deprecated(functions.update_production)
    start_component = _deprecated(functions.start_component)
    stop_component = _deprecated(functions.stop_component)
    restart_component = _deprecated(functions.restart_component)
    list_productions = _deprecated(functions.list_productions)
    status_production = _deprecated(functions.status_production)
    set_default_production = _deprecated(functions.set_default_production)
    get_default_production = _deprecated(functions.get_default_production)
    log_production = _deprecated(functions.log_production)
    log_production_top = _deprecated(functions.log_production_top)
    read_top_log = _deprecated(functions.read_top_log)
    read_log = _deprecated(functions.read_log)
    format_log = _deprecated(functions.format_log)
    test_component = _deprecated(functions.test_component)
