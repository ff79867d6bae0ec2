"""Components for tests."""

from junctor.dialects.pip_services.components.test.default_test_factory import DefaultTestFactory
from junctor.dialects.pip_services.components.test.shutdown import SetInterval, Shutdown

__all__ = ("DefaultTestFactory", "SetInterval", "Shutdown")
