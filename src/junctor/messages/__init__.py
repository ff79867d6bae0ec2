"""Messages: the envelope, the types of bodies, and their encoding."""

from junctor.messages.envelope import HANDLER, NO_HEADERS, Kind, Message, Status, parse_id, session_text
from junctor.messages.types import MessageType, TypeRegistry, message, type_name

__all__ = (
    "HANDLER",
    "NO_HEADERS",
    "Kind",
    "Message",
    "MessageType",
    "Status",
    "TypeRegistry",
    "message",
    "parse_id",
    "session_text",
    "type_name",
)
