"""Messages that are pydantic models. Importing this needs pydantic; nothing else of the dialect does."""

from __future__ import annotations

from typing import Any, Self

from junctor.dialects.iop.messages.body import MessageBody
from junctor.dialects.iop.messages.kinds import refuse_dataclass
from junctor.dialects.iop.messages.message import message_name
from junctor.errors import MissingExtra
from junctor.messages import message

try:
    from pydantic import BaseModel
except ImportError as error:  # pragma: no cover - pydantic is there in every test
    raise MissingExtra("PydanticMessage needs pydantic", fix="Install it: pip install pydantic.") from error


class PydanticMessage(MessageBody, BaseModel):
    """Base of messages that are pydantic models; without ``@dataclass``. Pydantic checks what is read."""

    def __new__(cls, *args: Any, **fields: Any) -> Self:
        """:raises SerializationError: the class is a dataclass as well, which pydantic cannot be."""
        refuse_dataclass(cls)
        return super().__new__(cls)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        message(name=message_name(cls))(cls)


class PydanticPickleMessage(PydanticMessage):
    """The same as :class:`PydanticMessage`. Its objects are carried as JSON; nothing is ever unpickled."""
