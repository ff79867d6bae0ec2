"""Methods that were written without ``self``: they look right, and fail only when they are called."""

from __future__ import annotations

import inspect
import os
from types import FunctionType

from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.observe.frames import is_users


def check_methods(cls: type) -> None:
    """
    :raises ConfigException: a method of a class of the program uses ``self`` and has no such parameter; its code is
        ``NO_SELF``, and the message names file and line.
    """
    for base in cls.__mro__:
        for name, function in vars(base).items():
            if isinstance(function, FunctionType) and is_users(function.__code__.co_filename):
                _check(base, name, function)


def _check(cls: type, name: str, function: FunctionType) -> None:
    code = function.__code__
    # A name that the function neither takes nor sets is looked up in its module.
    if "self" not in code.co_names or "self" in function.__globals__:
        return
    place = f"{os.path.basename(code.co_filename)}:{code.co_firstlineno}"
    arguments = ", ".join(["self", *inspect.signature(function).parameters])
    message = f"{cls.__name__}.{name} at {place} uses self and does not take it: write def {name}({arguments}):"
    raise ConfigException(None, "NO_SELF", message).with_details("class", cls.__name__).with_details("place", place)
