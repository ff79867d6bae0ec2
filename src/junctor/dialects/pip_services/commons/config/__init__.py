"""Configuration of components."""

from junctor.dialects.pip_services.commons.config.config_params import ConfigParams
from junctor.dialects.pip_services.commons.config.interfaces import IConfigurable, IReconfigurable
from junctor.dialects.pip_services.commons.config.resolvers import NameResolver, OptionsResolver

__all__ = ("ConfigParams", "IConfigurable", "IReconfigurable", "NameResolver", "OptionsResolver")
