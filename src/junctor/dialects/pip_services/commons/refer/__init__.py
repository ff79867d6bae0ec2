"""References: components find each other by descriptors."""

from junctor.dialects.pip_services.commons.refer.dependency_resolver import DependencyResolver
from junctor.dialects.pip_services.commons.refer.descriptor import Descriptor
from junctor.dialects.pip_services.commons.refer.interfaces import IReferenceable, IReferences, IUnreferenceable
from junctor.dialects.pip_services.commons.refer.reference import Reference
from junctor.dialects.pip_services.commons.refer.reference_exception import ReferenceException
from junctor.dialects.pip_services.commons.refer.referencer import Referencer
from junctor.dialects.pip_services.commons.refer.references import References

__all__ = (
    "DependencyResolver",
    "Descriptor",
    "IReferenceable",
    "IReferences",
    "IUnreferenceable",
    "Reference",
    "ReferenceException",
    "Referencer",
    "References",
)
