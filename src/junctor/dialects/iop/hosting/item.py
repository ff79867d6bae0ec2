"""An item of a production that is to run: its definition with the classes that were found for it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from junctor.core.spec import service_name
from junctor.dialects.iop.definition import ItemDefinition, ProductionDefinition


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item: a flow takes it as it takes a class.

    ``component`` is None where there is no such class, or it cannot be loaded; ``problem`` then says why. ``adapter``
    is its adapter where that is a class in Python.
    """

    __junctor_dialect__: ClassVar[str] = "iop"

    definition: ItemDefinition
    component: type | None
    adapter: type | None = None
    problem: str = ""
    production: ProductionDefinition = ProductionDefinition(name="")

    @property
    def name(self) -> str:
        """Its name in the production, ``Python.MyOperation``."""
        return self.definition.name

    @property
    def service(self) -> str:
        """Its name in a flow, ``python-myoperation``."""
        return service_name(self.definition.name)
