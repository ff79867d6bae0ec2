"""From the configuration of a component to a credential."""

from __future__ import annotations

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.errors import ConfigException
from junctor.dialects.pip_services.commons.refer import Descriptor, IReferences, ReferenceException
from junctor.dialects.pip_services.components.auth.credential_params import CredentialParams

_STORES = Descriptor("*", "credential-store", "*", "*", "*")


class CredentialResolver:
    """Parameters: ``credential`` or several ``credentials``; what has a ``store_key`` is looked up in the credential
    stores of the container.

    :param config: see :meth:`configure`.
    :param references: see :meth:`set_references`.
    """

    def __init__(self, config: ConfigParams | None = None, references: IReferences | None = None) -> None:
        self._credentials: list[CredentialParams] = []
        self._references: IReferences | None = None
        if config is not None:
            self.configure(config)
        if references is not None:
            self.set_references(references)

    def configure(self, config: ConfigParams) -> None:
        self._credentials += CredentialParams.many_from_config(config)

    def set_references(self, references: IReferences) -> None:
        self._references = references

    def get_all(self) -> list[CredentialParams]:
        return list(self._credentials)

    def add(self, credential: CredentialParams) -> None:
        self._credentials.append(credential)

    def lookup(self, correlation_id: str | None) -> CredentialParams | None:
        """The first that is written, else the first that is found; None where none is written at all.

        :raises ConfigException: no store has the key; its code is ``CANNOT_RESOLVE``.
        :raises ReferenceException: there is no store.
        """
        written = next((one for one in self._credentials if not one.use_credential_store()), None)
        if written is not None or not self._credentials:
            return written
        return self._looked_up(correlation_id, self._credentials[0].get_store_key() or "")

    def _looked_up(self, correlation_id: str | None, key: str) -> CredentialParams:
        stores = [] if self._references is None else self._references.get_optional(_STORES)
        if not stores:
            raise ReferenceException(correlation_id, _STORES)
        for store in stores:
            found: CredentialParams | None = store.lookup(correlation_id, key)
            if found is not None:
                return found
        message = f"No credential store has a credential {key}"
        raise ConfigException(correlation_id, "CANNOT_RESOLVE", message).with_details("key", key)
