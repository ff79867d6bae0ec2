"""What users subclass: services, processes, operations and adapters."""

from junctor.dialects.iop.components.adapters import InboundAdapter, OutboundAdapter
from junctor.dialects.iop.components.component import Component
from junctor.dialects.iop.components.deferred import DuplexOperation, DuplexProcess, DuplexService
from junctor.dialects.iop.components.dispatch import Dispatch, Entry, accepted_by, dispatch_of, handler
from junctor.dialects.iop.components.door import Door, OutsideNode, ProcessDoor
from junctor.dialects.iop.components.host import BusinessHost
from junctor.dialects.iop.components.info import adapter_type
from junctor.dialects.iop.components.lifecycle import doubts, started, stopped
from junctor.dialects.iop.components.operation import BusinessOperation
from junctor.dialects.iop.components.process import BusinessProcess
from junctor.dialects.iop.components.service import BusinessService, PollingBusinessService

__all__ = (
    "BusinessHost",
    "BusinessOperation",
    "BusinessProcess",
    "BusinessService",
    "Component",
    "Dispatch",
    "Door",
    "DuplexOperation",
    "DuplexProcess",
    "DuplexService",
    "Entry",
    "InboundAdapter",
    "OutboundAdapter",
    "OutsideNode",
    "PollingBusinessService",
    "ProcessDoor",
    "accepted_by",
    "adapter_type",
    "dispatch_of",
    "doubts",
    "handler",
    "started",
    "stopped",
)
