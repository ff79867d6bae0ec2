"""Properties, methods and types by their names."""

from junctor.dialects.pip_services.commons.reflect.method_reflector import MethodReflector
from junctor.dialects.pip_services.commons.reflect.objects import ObjectReader, ObjectWriter
from junctor.dialects.pip_services.commons.reflect.property_reflector import PropertyReflector
from junctor.dialects.pip_services.commons.reflect.recursive_objects import RecursiveObjectReader, RecursiveObjectWriter
from junctor.dialects.pip_services.commons.reflect.type_descriptor import TypeDescriptor
from junctor.dialects.pip_services.commons.reflect.type_matcher import TypeMatcher
from junctor.dialects.pip_services.commons.reflect.type_reflector import TypeReflector

__all__ = (
    "MethodReflector",
    "ObjectReader",
    "ObjectWriter",
    "PropertyReflector",
    "RecursiveObjectReader",
    "RecursiveObjectWriter",
    "TypeDescriptor",
    "TypeMatcher",
    "TypeReflector",
)
