"""Stores of credentials."""

from __future__ import annotations

import threading
from abc import ABC

from junctor.dialects.pip_services.commons.config import ConfigParams, IReconfigurable
from junctor.dialects.pip_services.components.auth.credential_params import CredentialParams


class ICredentialStore(ABC):  # noqa: B024 - others may be written without inheriting
    """Credentials by key."""

    def store(self, correlation_id: str | None, key: str, credential: CredentialParams | None) -> None:
        """
        :param credential: None takes it out.
        """
        raise NotImplementedError

    def lookup(self, correlation_id: str | None, key: str) -> CredentialParams | None:
        raise NotImplementedError


class MemoryCredentialStore(ICredentialStore, IReconfigurable):
    """Parameters: a credential for each key, ``key1: {username: ..., password: ...}`` or as text
    ``key1: username=...;password=...``; also in a section ``credentials``.

    :param config: see ``configure``.
    """

    def __init__(self, config: ConfigParams | None = None) -> None:
        self._items: dict[str, CredentialParams] = {}
        self._lock = threading.Lock()
        if config is not None:
            self.configure(config)

    def configure(self, config: ConfigParams) -> None:
        self.read_credentials(config)

    def read_credentials(self, config: ConfigParams) -> None:
        """Take these in place of all."""
        found = config.get_section("credentials") or config
        self._items = {
            key: CredentialParams(found.get_section(key)) or CredentialParams.from_string(found.get(key))
            for key in found.get_section_names()
            if key != "descriptor"
        }

    def store(self, correlation_id: str | None, key: str, credential: CredentialParams | None) -> None:
        with self._lock:
            if credential is None:
                self._items.pop(key, None)
            else:
                self._items[key] = credential

    def lookup(self, correlation_id: str | None, key: str) -> CredentialParams | None:
        return self._items.get(key)
