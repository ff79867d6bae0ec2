"""What goes wrong between an object and its JSON."""

from __future__ import annotations

from junctor.errors import JunctorError


class SerializationError(JunctorError):
    """A message cannot become JSON, or JSON cannot become the message; the text has the class and the field."""

    code = "iop-serialization"
    default_fix = "Give the message fields of JSON types, dates, decimals, enums, dataclasses or pydantic models."
    reaction = "park"
    status = 422


class MessageClassImportError(SerializationError, ImportError):
    """Kept for programs that catch it: no class is ever imported because a message names it, so none fails to be."""

    code = "iop-message-class"
    default_fix = "Import the class in the module of the component that receives it."
