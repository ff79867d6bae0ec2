"""Python Service Factory: a class with ``loop()`` and actions over HTTP, written for ``servicefactory``, runs here."""

from junctor.dialects.servicefactory.api import API
from junctor.dialects.servicefactory.base import base
from junctor.dialects.servicefactory.calls import Reply

__all__ = ("API", "Reply", "Service", "base")


class Service:
    """What ``from servicefactory import Service`` gives: the base class and the decorators."""

    base = base
    API = API
