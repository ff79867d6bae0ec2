"""What reads configurations."""

from __future__ import annotations

from abc import ABC

from junctor.dialects.pip_services.commons.config import ConfigParams


class IConfigReader(ABC):  # noqa: B024 - others may be written without inheriting
    """Reads a configuration from somewhere."""

    def read_config_(self, correlation_id: str | None, parameters: ConfigParams | None) -> ConfigParams:
        """
        :param parameters: the variables of its template.
        :raises ApplicationException: it is not there, or cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__}.read_config_ is not written")
