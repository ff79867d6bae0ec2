"""The message that is a dataclass."""

from __future__ import annotations

import re
from typing import Any

from junctor.dialects.iop.messages.body import MessageBody
from junctor.dialects.iop.messages.decoding import decode
from junctor.dialects.iop.messages.encoding import encode
from junctor.messages import Codec, message
from junctor.services.hints import remember_locals

_CODEC = Codec(encode=encode, decode=decode)

DECLARED = "__junctor_message__"
"""The attribute with what ``@message`` says of a class."""

_LOADED = re.compile(r"^junctor_file_(.+?)(?:__[0-9a-f]{8})?$")
"""How a module is called whose file was loaded beside another of the same name."""


def message_name(cls: type) -> str:
    """The name of a message class on its way, ``module.Class``, as in the system that programs come from."""
    module = _LOADED.sub(r"\1", cls.__module__)
    return f"{module}.{cls.__qualname__}".replace("<locals>.", "")


class Message(MessageBody):
    """Base of messages. A subclass is a dataclass as well::

        @dataclass
        class Order(Message):
            number: int = 0

    It travels as JSON under the name ``module.Class``. What is read is not checked: a value of another type than the
    annotation says stays as it came, a missing field gets its default, and attributes that are no fields are kept.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        remember_locals(cls)
        if DECLARED not in vars(cls):  # @dataclass(slots=True) makes the class a second time
            message(name=message_name(cls), codec=_CODEC)(cls)


class PickleMessage(Message):
    """The same as :class:`Message`. Its objects are carried as JSON; nothing is ever unpickled."""
