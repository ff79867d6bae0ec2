"""Factories: from a locator to a component."""

from junctor.dialects.pip_services.components.build.composite_factory import CompositeFactory
from junctor.dialects.pip_services.components.build.create_exception import CreateException
from junctor.dialects.pip_services.components.build.factory import Factory
from junctor.dialects.pip_services.components.build.interfaces import IFactory

__all__ = ("CompositeFactory", "CreateException", "Factory", "IFactory")
