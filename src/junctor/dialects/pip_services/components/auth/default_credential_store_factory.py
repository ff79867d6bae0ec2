"""Credential stores by their descriptors."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.refer import Descriptor
from junctor.dialects.pip_services.components.auth.credential_store import MemoryCredentialStore
from junctor.dialects.pip_services.components.build import Factory


class DefaultCredentialStoreFactory(Factory):
    """``pip-services:credential-store:memory``."""

    def __init__(self) -> None:
        super().__init__()
        locator = Descriptor("pip-services", "credential-store", "memory", "*", "1.0")
        self.register_as_type(locator, MemoryCredentialStore)
