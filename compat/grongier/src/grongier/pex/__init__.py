"""``from grongier.pex import BusinessOperation``: hooks in CamelCase and in snake_case."""

from junctor.dialects.iop.components.camel import CamelInboundAdapter as InboundAdapter
from junctor.dialects.iop.components.camel import CamelOperation as BusinessOperation
from junctor.dialects.iop.components.camel import CamelOutboundAdapter as OutboundAdapter
from junctor.dialects.iop.components.camel import CamelProcess as BusinessProcess
from junctor.dialects.iop.components.camel import CamelService as BusinessService
from junctor.dialects.iop.components.deferred import DuplexOperation, DuplexProcess, DuplexService
from junctor.dialects.iop.director.director import Director
from junctor.dialects.iop.genuine import refuse_genuine as _refuse_genuine
from junctor.dialects.iop.messages import Field, Message, Model, PersistentMessage, PickleMessage
from junctor.dialects.iop.migration import Utils

_refuse_genuine("junctor-grongier")

__all__ = (
    "BusinessOperation",
    "BusinessProcess",
    "BusinessService",
    "Director",
    "DuplexOperation",
    "DuplexProcess",
    "DuplexService",
    "Field",
    "InboundAdapter",
    "Message",
    "Model",
    "OutboundAdapter",
    "PersistentMessage",
    "PickleMessage",
    "Utils",
)
