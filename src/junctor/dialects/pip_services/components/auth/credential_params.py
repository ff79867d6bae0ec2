"""What opens another system."""

from __future__ import annotations

from typing import Self

from junctor.dialects.pip_services.commons.config import ConfigParams


class CredentialParams(ConfigParams):
    """``username`` and ``password``, ``access_id`` and ``access_key``; or the ``store_key`` under which a credential
    store has them."""

    def use_credential_store(self) -> bool:
        return bool(self.get("store_key"))

    def get_store_key(self) -> str | None:
        return self.get_as_nullable_string("store_key")

    def set_store_key(self, value: str | None) -> None:
        self.put("store_key", value)

    def get_username(self) -> str | None:
        return self.get("username") or self.get("user")

    def set_username(self, value: str | None) -> None:
        self.put("username", value)

    def get_password(self) -> str | None:
        return self.get("password") or self.get("pass")

    def set_password(self, value: str | None) -> None:
        self.put("password", value)

    def get_access_id(self) -> str | None:
        return self.get("access_id") or self.get("client_id")

    def set_access_id(self, value: str | None) -> None:
        self.put("access_id", value)

    def get_access_key(self) -> str | None:
        return self.get("access_key") or self.get("client_key") or self.get("secret_key")

    def set_access_key(self, value: str | None) -> None:
        self.put("access_key", value)

    @classmethod
    def many_from_config(cls, config: ConfigParams) -> list[Self]:
        """The sections of ``credentials``, and ``credential``."""
        several = config.get_section("credentials")
        sections = [several.get_section(name) for name in several.get_section_names()] if several else []
        return [cls(section) for section in (*sections, config.get_section("credential")) if section]

    @classmethod
    def from_config(cls, config: ConfigParams) -> Self | None:
        """The first of them, None where there is none."""
        return next(iter(cls.many_from_config(config)), None)
