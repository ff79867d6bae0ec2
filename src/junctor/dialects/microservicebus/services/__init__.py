"""What a program of microServiceBus imports: the base classes of services, and the message of their queue."""

from junctor.dialects.microservicebus.services.base import BaseService
from junctor.dialects.microservicebus.services.custom import CustomService
from junctor.dialects.microservicebus.services.message import QueueMessage

__all__ = ("BaseService", "CustomService", "QueueMessage")
