"""The message between services of microServiceBus: ``from queue_message import QueueMessage``."""

from junctor.dialects.microservicebus import QueueMessage

__all__ = ("QueueMessage",)
