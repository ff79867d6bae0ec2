"""What a director does."""

from junctor.dialects.iop.director.protocol import DirectorProtocol

__all__ = ("DirectorProtocol",)
