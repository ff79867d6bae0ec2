"""The base class of services with properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from junctor.dialects.microservicebus.services.base import BaseService
from junctor.dialects.microservicebus.services.door import Queue


class CustomService(BaseService):
    """A service with properties, which its flow gives: see :class:`BaseService`, :meth:`GetPropertyValue`."""

    def __init__(self, id: str, queue: Queue, config: Mapping[str, Any]) -> None:
        super().__init__(id, queue)
        self.config = dict(config)
