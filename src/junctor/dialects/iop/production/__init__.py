"""Productions: composed in Python, declared as a class, or read from a dictionary."""

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
