"""References that make, link and open components."""

from junctor.dialects.pip_services.container.refer.build_references_decorator import BuildReferencesDecorator
from junctor.dialects.pip_services.container.refer.container_references import ContainerReferences
from junctor.dialects.pip_services.container.refer.link_references_decorator import LinkReferencesDecorator
from junctor.dialects.pip_services.container.refer.managed_references import ManagedReferences
from junctor.dialects.pip_services.container.refer.references_decorator import ReferencesDecorator
from junctor.dialects.pip_services.container.refer.run_references_decorator import RunReferencesDecorator

__all__ = (
    "BuildReferencesDecorator",
    "ContainerReferences",
    "LinkReferencesDecorator",
    "ManagedReferences",
    "ReferencesDecorator",
    "RunReferencesDecorator",
)
