"""Messages: the envelope, the types of bodies, and their encoding."""

from junctor.messages.custom import Codec
from junctor.messages.envelope import (
    ANSWERS,
    ASKER,
    CONDITION,
    CONTINUES,
    EFFECT,
    ENDED,
    HANDLER,
    NO_HEADERS,
    PASSED,
    RESEND_OF,
    RESERVED,
    RUN_HEADERS,
    Kind,
    Message,
    Status,
    parse_id,
    session_called,
    session_text,
    without_reserved,
)
from junctor.messages.sensitive import Sensitive
from junctor.messages.types import MessageType, TypeRegistry, message, type_name

__all__ = (
    "ANSWERS",
    "ASKER",
    "CONDITION",
    "CONTINUES",
    "EFFECT",
    "ENDED",
    "HANDLER",
    "NO_HEADERS",
    "PASSED",
    "RESEND_OF",
    "RESERVED",
    "RUN_HEADERS",
    "Codec",
    "Kind",
    "Message",
    "MessageType",
    "Sensitive",
    "Status",
    "TypeRegistry",
    "message",
    "parse_id",
    "session_called",
    "session_text",
    "type_name",
    "without_reserved",
)
