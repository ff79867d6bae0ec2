"""Python services of microServiceBus on a node: ``from base_service import CustomService``."""

from junctor.dialects.microservicebus.services import BaseService, CustomService, QueueMessage

__all__ = ("BaseService", "CustomService", "QueueMessage")
