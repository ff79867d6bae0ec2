"""Information on the process."""

from junctor.dialects.pip_services.components.info.context_info import ContextInfo
from junctor.dialects.pip_services.components.info.default_info_factory import DefaultInfoFactory

__all__ = ("ContextInfo", "DefaultInfoFactory")
