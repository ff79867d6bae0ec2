"""Where another system is."""

from __future__ import annotations

from typing import Self
from urllib.parse import urlsplit

from junctor.dialects.pip_services.commons.config import ConfigParams


class ConnectionParams(ConfigParams):
    """``protocol``, ``host``, ``port`` or ``uri``; or the ``discovery_key`` under which a discovery service knows
    them."""

    def use_discovery(self) -> bool:
        return bool(self.get("discovery_key"))

    def get_discovery_key(self) -> str | None:
        return self.get_as_nullable_string("discovery_key")

    def set_discovery_key(self, value: str | None) -> None:
        self.put("discovery_key", value)

    def get_protocol(self, default_value: str | None = None) -> str | None:
        return self.get("protocol") or default_value

    def get_protocol_with_default(self, default_value: str) -> str:
        return self.get("protocol") or default_value

    def set_protocol(self, value: str | None) -> None:
        self.put("protocol", value)

    def get_host(self) -> str | None:
        return self.get("host") or self.get("ip") or urlsplit(self.get_uri() or "").hostname

    def set_host(self, value: str | None) -> None:
        self.put("host", value)

    def get_port(self) -> int:
        """0 where none is given."""
        return self.get_as_integer("port") or urlsplit(self.get_uri() or "").port or 0

    def get_port_with_default(self, default_port: int) -> int:
        return self.get_port() or default_port

    def set_port(self, value: int | None) -> None:
        self.put("port", value)

    def get_uri(self) -> str | None:
        return self.get("uri") or None

    def set_uri(self, value: str | None) -> None:
        self.put("uri", value)

    @classmethod
    def many_from_config(cls, config: ConfigParams) -> list[Self]:
        """The sections of ``connections``, and ``connection``."""
        several = config.get_section("connections")
        sections = [several.get_section(name) for name in several.get_section_names()] if several else []
        return [cls(section) for section in (*sections, config.get_section("connection")) if section]

    @classmethod
    def from_config(cls, config: ConfigParams) -> Self | None:
        """The first of them, None where there is none."""
        return next(iter(cls.many_from_config(config)), None)
