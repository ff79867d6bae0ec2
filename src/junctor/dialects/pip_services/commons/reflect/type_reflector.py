"""Classes by their names.

Modules are imported by name here, as the configuration of a container says (``type: "Class,module"``). Names must come
from the program's own files, never from a message.
"""

from __future__ import annotations

import importlib
from typing import Any

from junctor.dialects.pip_services.commons.convert import TypeCode, TypeConverter
from junctor.dialects.pip_services.commons.errors.exceptions import NotFoundException
from junctor.dialects.pip_services.commons.reflect.type_descriptor import TypeDescriptor


class TypeReflector:
    @staticmethod
    def get_type(name: str | None, library: str | None) -> type | None:
        """The class, or None: there is no such module, or no such class in it. Errors inside the module are raised.

        :raises ValueError: the name of the class or of the module is missing.
        """
        if not name:
            raise ValueError("Class name cannot be null")
        if not library:
            raise ValueError("Module name cannot be null")
        try:
            found = getattr(importlib.import_module(library), name, None)
        except ModuleNotFoundError as error:
            # Only what was asked for may be missing: a module that fails to import another says so itself.
            if error.name is not None and library.startswith(error.name):
                return None
            raise
        return found if isinstance(found, type) else None

    @staticmethod
    def get_type_by_descriptor(descriptor: TypeDescriptor) -> type | None:
        return TypeReflector.get_type(descriptor.get_name(), descriptor.get_library())

    @staticmethod
    def create_instance(name: str | None, library: str | None, *args: Any) -> Any:
        """
        :raises NotFoundException: there is no such class; its code is ``TYPE_NOT_FOUND``.
        """
        found = TypeReflector.get_type(name, library)
        if found is None:
            error = NotFoundException(None, "TYPE_NOT_FOUND", f"Type {name},{library} was not found")
            raise error.with_details("type", name).with_details("library", library)
        return TypeReflector.create_instance_by_type(found, *args)

    @staticmethod
    def create_instance_by_type(obj_type: type, *args: Any) -> Any:
        return obj_type(*args)

    @staticmethod
    def create_instance_by_descriptor(descriptor: TypeDescriptor, *args: Any) -> Any:
        return TypeReflector.create_instance(descriptor.get_name(), descriptor.get_library(), *args)

    @staticmethod
    def is_primitive(value: Any) -> bool:
        """Whether a value is a single one: a text, a number, a moment."""
        code = TypeConverter.to_type_code(value)
        return code not in (TypeCode.Unknown, TypeCode.Object, TypeCode.Array, TypeCode.Map)
