"""Messages between components: what they are made of, and how they become JSON and are read again."""

from junctor.dialects.iop.messages.body import MessageBody
from junctor.dialects.iop.messages.deferred import Field, Model, PersistentMessage
from junctor.dialects.iop.messages.errors import MessageClassImportError, SerializationError
from junctor.dialects.iop.messages.kinds import (
    checked,
    class_named,
    is_message_class,
    key_of,
    messages_of,
    named,
    received,
)
from junctor.dialects.iop.messages.message import Message, PickleMessage, message_name
from junctor.dialects.iop.messages.untyped import UntypedMessage, untyped

__all__ = (
    "Field",
    "Message",
    "MessageBody",
    "MessageClassImportError",
    "Model",
    "PersistentMessage",
    "PickleMessage",
    "SerializationError",
    "UntypedMessage",
    "checked",
    "class_named",
    "is_message_class",
    "key_of",
    "message_name",
    "messages_of",
    "named",
    "received",
    "untyped",
)
