"""What users subclass: services, processes, operations and adapters."""

from junctor.dialects.iop.components.adapters import InboundAdapter, OutboundAdapter
from junctor.dialects.iop.components.component import Component
from junctor.dialects.iop.components.door import Door, OutsideNode, ProcessDoor
from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.operation import BusinessOperation
from junctor.dialects.iop.components.process import BusinessProcess
from junctor.dialects.iop.components.service import BusinessService, PollingBusinessService

__all__ = (
    "BusinessHost",
    "BusinessOperation",
    "BusinessProcess",
    "BusinessService",
    "Component",
    "Door",
    "InboundAdapter",
    "OutboundAdapter",
    "OutsideNode",
    "PollingBusinessService",
    "ProcessDoor",
)
