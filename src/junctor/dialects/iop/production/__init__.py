"""Productions: composed in Python, declared as a class, or read from a dictionary.

The names are loaded when they are first used: who only reads or writes a dictionary needs few of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from junctor.dialects.iop.production.component import ComponentRef
    from junctor.dialects.iop.production.difference import ProductionDiff, ProductionDiffEntry
    from junctor.dialects.iop.production.graph import GraphEdge, GraphNode, ProductionGraph
    from junctor.dialects.iop.production.items import ComponentItem, OperationItem, ProcessItem, Route, ServiceItem
    from junctor.dialects.iop.production.later import (
        ProductionApplyResult,
        ProductionChangePlan,
        ProductionPlanOperation,
        ProductionVerifyResult,
    )
    from junctor.dialects.iop.production.production import Production
    from junctor.dialects.iop.production.reading import ShapeError
    from junctor.dialects.iop.production.validation import (
        ProductionValidationError,
        ProductionValidationIssue,
        ProductionValidationReport,
        ProductionValidationWarning,
    )

__all__ = (
    "ComponentItem",
    "ComponentRef",
    "GraphEdge",
    "GraphNode",
    "OperationItem",
    "ProcessItem",
    "Production",
    "ProductionApplyResult",
    "ProductionChangePlan",
    "ProductionDiff",
    "ProductionDiffEntry",
    "ProductionGraph",
    "ProductionPlanOperation",
    "ProductionValidationError",
    "ProductionValidationIssue",
    "ProductionValidationReport",
    "ProductionValidationWarning",
    "ProductionVerifyResult",
    "Route",
    "ServiceItem",
    "ShapeError",
)

_MODULES = ("production", "component", "difference", "graph", "items", "later", "reading", "validation")


def __getattr__(name: str) -> Any:
    for module in _MODULES if name in __all__ else ():
        found = import_module(f"{__name__}.{module}")
        if hasattr(found, name):
            globals()[name] = getattr(found, name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
