"""The services that every flow with a service of this dialect has: orchestrator, logger, msb and com."""

from junctor.dialects.microservicebus.companions.orchestrator import Orchestrator

__all__ = ("Orchestrator",)
