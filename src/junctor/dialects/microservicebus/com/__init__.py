"""Com: readings to the cloud, and what the cloud wants of the node. Providers are chosen in the flow."""

from junctor.dialects.microservicebus.com.providers.base import Answer, Cloud, Provider, Reading
from junctor.dialects.microservicebus.com.service import Com

__all__ = ("Answer", "Cloud", "Com", "Provider", "Reading")
