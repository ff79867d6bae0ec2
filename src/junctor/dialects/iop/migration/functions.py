"""The functions of ``iop.migration.utils``: what a settings file does, from Python.

All take ``namespace`` and ``home`` as :meth:`Registry.open` does. Each registers at once, or nothing where it raises.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from junctor.dialects.iop.migration.migration import Migration, plan_migration
from junctor.dialects.iop.migration.project import Project, add_classes, add_productions, add_schemas, project_of
from junctor.dialects.iop.migration.registry import Registry
from junctor.dialects.iop.production import Production
from junctor.dialects.iop.production.shape import to_shape
from junctor.dialects.iop.production.validation import ProductionValidationWarning
from junctor.errors import ConfigurationError


def migrate(
    filename: str | Path,
    strict_production_validation: bool = False,
    *,
    strict: bool = False,
    namespace: str | None = None,
    home: Path | None = None,
) -> Migration:
    """Register what a settings file names; to do it again changes nothing. Nothing is registered where it raises.

    :param strict_production_validation: what is wrong with a production is an error and no warning; also ``strict``.
    :return: what was registered; its ``text`` is the plan.
    :raises ImportFailed: the file is not there, or it, or what it imports, fails.
    :raises ShapeError: a part has the wrong shape; the text has the file and the path of the keys. It is a ValueError.
    :raises ProductionValidationError: it is strict, and something is wrong. It is a ValueError.
    """
    found = plan_migration(filename, namespace, home)
    return _applied(found, strict or strict_production_validation)


def explain_migration(filename: str | Path, *, namespace: str | None = None, home: Path | None = None) -> str:
    """The plan of a migration. The file is imported, and nothing is registered."""
    return plan_migration(filename, namespace, home).text


def setup(path: str | None = None) -> None:
    """Without effect: there is nothing to load into a database."""


# Classes ------------------------------------------------------------------------------------------------------


def register_component(
    module: str,
    classname: str,
    path: str,
    overwrite: int = 1,
    iris_classname: str = "Python",
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register one class.

    :param path: the folder that its imports begin in.
    :param overwrite: 0 refuses a name that is registered already.
    :param iris_classname: the name; without a dot it is the package, and the name of the class follows.
    :raises ConfigurationError: it cannot be imported, is no component, or has the name of another.
    """
    name = iris_classname if "." in iris_classname else f"{iris_classname}.{classname}"
    _register({name: {"module": module, "class": classname, "path": path}}, overwrite, namespace, home)


bind_component = register_component


def register_file(
    file: str,
    path: str,
    overwrite: int = 1,
    iris_package_name: str = "Python",
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register all components of a file, each as ``PACKAGE.Class``."""
    _register({iris_package_name: {"path": path, "file": file}}, overwrite, namespace, home)


def register_folder(
    path: str,
    overwrite: int = 1,
    iris_package_name: str = "Python",
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register all components of the files in a folder, each as ``PACKAGE.module.Class``."""
    _register({iris_package_name: {"path": path}}, overwrite, namespace, home)


def register_package(
    package: str,
    path: str,
    overwrite: int = 1,
    iris_package_name: str = "Python",
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register all components of a package in a folder, each as ``PACKAGE.package.module.Class``."""
    _register({iris_package_name: {"path": path, "package": package}}, overwrite, namespace, home)


def set_classes_settings(
    class_items: Mapping[str, Any],
    root_path: str | None = None,
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register what CLASSES of a settings file says.

    :param root_path: the folder that its paths are relative to; the working folder by default.
    """
    project = _project(root_path)
    add_classes(project, class_items)
    _applied(Migration(project, namespace, home))


def unbind_component(name: str, *, namespace: str | None = None, home: Path | None = None) -> None:
    """Forget a registered class.

    :raises ClassInUse: an item of a production uses it.
    """
    _director(namespace, home).unbind_component(name)


unregister_component = unbind_component


def list_bindings(
    unused_only: bool = False, *, namespace: str | None = None, home: Path | None = None
) -> list[dict[str, Any]]:
    """The registered classes, each with the items that use it."""
    found: list[dict[str, Any]] = _director(namespace, home).list_bindings(unused_only)
    return found


# Messages -----------------------------------------------------------------------------------------------------


def register_message_schema(cls: type, *, namespace: str | None = None, home: Path | None = None) -> None:
    """Keep the JSON schema of a message.

    :raises ShapeError: it is no message.
    """
    project = _project(None)
    add_schemas(project, [cls])
    _applied(Migration(project, namespace, home))


def register_schema(
    name: str, schema: Mapping[str, Any], *, namespace: str | None = None, home: Path | None = None
) -> None:
    """Keep a JSON schema under a name.

    :param schema: as a dictionary.
    """
    with Registry.change(namespace, home) as registry:
        registry.schemas[name] = dict(schema)


# Productions --------------------------------------------------------------------------------------------------


def register_production(
    production: str | Production | Mapping[str, Any],
    definition: Mapping[str, Any] | None = None,
    *,
    path: str | None = None,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register a production.

    :param production: a :class:`Production`; a dictionary ``{name: {...}}``; or a name, and then ``definition``.
    :param path: the folder that the imports of its classes begin in; for a :class:`Production` where those of their
        modules began by default, else the working folder.
    :raises ShapeError: a part has the wrong shape.
    """
    if isinstance(production, Production):
        project = project_of(production, _folder(path) if path else None)
    else:
        project = _project(path)
        add_productions(project, [{production: definition} if isinstance(production, str) else production])
    _applied(Migration(project, namespace, home))


def set_productions_settings(
    production_list: Sequence[Any],
    root_path: str | None = None,
    *,
    namespace: str | None = None,
    home: Path | None = None,
) -> None:
    """Register what PRODUCTIONS of a settings file says.

    :param root_path: the folder that its paths are relative to; the working folder by default.
    """
    project = _project(root_path)
    add_productions(project, production_list)
    _applied(Migration(project, namespace, home))


def export_production(name: str, *, namespace: str | None = None, home: Path | None = None) -> dict[str, Any]:
    """A registered production, in the shape of its XML.

    :raises ConfigurationError: there is none of this name.
    """
    return to_shape(Registry.open(namespace, home).production(name))


# Of the other engine ------------------------------------------------------------------------------------------


def raise_on_error(status: Any) -> None:
    """:raises RuntimeError: a status of IRIS is an error. 1, None and True are none."""
    if status not in (1, None, True, "1"):
        raise RuntimeError(str(status))


def stream_to_string(stream: Any, buffer: int = 1_000_000) -> str:
    """The text of a stream: of a file, or of text itself."""
    return str(stream.read()) if hasattr(stream, "read") else str(stream)


def string_to_stream(string: str, buffer: int = 1_000_000) -> str:
    """The text itself: there are no streams of IRIS here."""
    return string


# Parts --------------------------------------------------------------------------------------------------------


def _folder(path: str | None) -> Path:
    return Path(path or ".").expanduser().resolve()


def _project(path: str | None) -> Project:
    return Project("", _folder(path))


def _register(classes: Mapping[str, Any], overwrite: int, namespace: str | None, home: Path | None) -> None:
    project = _project(None)
    add_classes(project, classes)
    known = Registry.open(namespace, home).registrations if not overwrite else {}
    for name in project.registrations.keys() & known.keys():
        raise ConfigurationError(f"{name} is registered already", where="overwrite=0", fix="Give it another name.")
    _applied(Migration(project, namespace, home))


def _applied(migration: Migration, strict: bool = False) -> Migration:
    migration.apply(strict)
    for production, issue in migration.issues:
        warnings.warn(f"{production}: {issue}", ProductionValidationWarning, stacklevel=3)
    return migration


def _director(namespace: str | None, home: Path | None) -> Any:
    from junctor.dialects.iop.director.local import LocalDirector

    return LocalDirector(namespace, home)


class Functions:
    """The functions of this module as static methods."""

    migrate = staticmethod(migrate)
    explain_migration = staticmethod(explain_migration)
    setup = staticmethod(setup)
    register_component = staticmethod(register_component)
    bind_component = staticmethod(bind_component)
    unregister_component = staticmethod(unregister_component)
    unbind_component = staticmethod(unbind_component)
    list_bindings = staticmethod(list_bindings)
    register_file = staticmethod(register_file)
    register_folder = staticmethod(register_folder)
    register_package = staticmethod(register_package)
    register_message_schema = staticmethod(register_message_schema)
    register_schema = staticmethod(register_schema)
    register_production = staticmethod(register_production)
    export_production = staticmethod(export_production)
    set_productions_settings = staticmethod(set_productions_settings)
    set_classes_settings = staticmethod(set_classes_settings)
    raise_on_error = staticmethod(raise_on_error)
    stream_to_string = staticmethod(stream_to_string)
    string_to_stream = staticmethod(string_to_stream)


Utils = Functions
"""The name that programs import: ``Utils.migrate("settings.py")``."""
