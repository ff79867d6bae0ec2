"""Credentials for other systems."""

from junctor.dialects.pip_services.components.auth.credential_params import CredentialParams
from junctor.dialects.pip_services.components.auth.credential_resolver import CredentialResolver
from junctor.dialects.pip_services.components.auth.credential_store import ICredentialStore, MemoryCredentialStore
from junctor.dialects.pip_services.components.auth.default_credential_store_factory import (
    DefaultCredentialStoreFactory,
)

__all__ = (
    "CredentialParams",
    "CredentialResolver",
    "DefaultCredentialStoreFactory",
    "ICredentialStore",
    "MemoryCredentialStore",
)
