"""Where a configuration says how a component is called, and what its options are."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config.config_params import ConfigParams
from junctor.dialects.pip_services.commons.refer.descriptor import Descriptor


class NameResolver:
    @staticmethod
    def resolve(config: ConfigParams, default_name: str | None = None) -> str | None:
        """The parameter ``name``, else ``id``, else the name in ``descriptor``, else the default.

        :raises ConfigException: the descriptor is not one.
        """
        for key in ("name", "id"):
            if config.get(key):
                return config.get_as_nullable_string(key)
        descriptor = Descriptor.from_string(config.get_as_nullable_string("descriptor"))
        return (descriptor.get_name() if descriptor else None) or default_name


class OptionsResolver:
    @staticmethod
    def resolve(config: ConfigParams, config_as_default: bool = False) -> ConfigParams:
        """The section ``options``; where it is empty, the whole configuration if so wished."""
        options = config.get_section("options")
        return config if not options and config_as_default else options
