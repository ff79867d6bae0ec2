"""Templates, as configurations use them."""

from junctor.dialects.pip_services.components.config.template import MustacheException, MustacheTemplate

__all__ = ("MustacheException", "MustacheTemplate")
