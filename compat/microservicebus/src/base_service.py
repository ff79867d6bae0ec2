"""Python services of microServiceBus on Junctor: ``from base_service import CustomService``."""

from junctor.dialects.microservicebus import BaseService, CustomService, QueueMessage

__all__ = ("BaseService", "CustomService", "QueueMessage")
