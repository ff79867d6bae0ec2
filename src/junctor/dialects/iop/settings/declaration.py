"""Settings that a class declares, with what an operator should know of them."""

from __future__ import annotations

from typing import Any

from junctor.dialects.iop.settings.category import Category
from junctor.settings import MISSING


class Setting:
    """One setting of a component: ``path: str = setting("/tmp", control=controls.directory())``, or
    ``path: Annotated[str, Setting(required=True)]``.

    An instance reads the value that the production gives, else the default, else None.
    """

    def __init__(
        self,
        default: Any = MISSING,
        *,
        data_type: Any = None,
        iris_type: str = "",
        category: Category | str = "",
        required: bool = False,
        description: str = "",
        control: str = "",
        exclude: bool = False,
    ) -> None:
        """
        :param default: the value when the production gives none.
        :param data_type: the type in Python, where there is no annotation: str, int, float or bool.
        :param iris_type: the type in InterSystems IRIS, where it is not the usual one.
        :param category: the group in which it is shown.
        :param required: a component without a value for it does not start.
        :param description: what it means, in a sentence.
        :param control: how IRIS edits it: see :mod:`~junctor.dialects.iop.settings.controls`.
        :param exclude: it cannot be set in a production.
        """
        self.name = ""
        self.default = default
        self.data_type = data_type
        self.iris_type = iris_type
        self.category = str(category)
        self.required = required
        self.description = description
        self.control = control
        self.exclude = exclude

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        """The default, for an instance that has no value of its own; the declaration itself, for the class."""
        if instance is None:
            return self
        return None if self.default is MISSING else self.default


def setting(
    default: Any = MISSING,
    *,
    data_type: Any = None,
    iris_type: str = "",
    category: Category | str = "",
    required: bool = False,
    description: str = "",
    control: str = "",
    exclude: bool = False,
) -> Any:
    """Declare a setting as a class attribute; the parameters are those of :class:`Setting`."""
    return Setting(
        default,
        data_type=data_type,
        iris_type=iris_type,
        category=category,
        required=required,
        description=description,
        control=control,
        exclude=exclude,
    )
