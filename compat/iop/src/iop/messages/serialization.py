"""The errors between an object and its JSON."""

from junctor.dialects.iop.messages import MessageClassImportError, SerializationError

__all__ = ("MessageClassImportError", "SerializationError")
