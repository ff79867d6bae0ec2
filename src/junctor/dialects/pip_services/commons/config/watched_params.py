"""Parameters that note what is asked for: by asking, a component tells which it knows."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from junctor.dialects.pip_services.commons.config.config_params import ConfigParams


class WatchedParams(ConfigParams):
    """Parameters of one component, or a section of them; sections and sets made from it note in the same place.

    ``asked`` are the keys and sections somebody has asked for, whether they are there or not. Who goes through all keys
    asks for all that are there.

    :param prefix: of its keys in the parameters of the component.
    """

    def __init__(self, map: Mapping[Any, Any] | None = None, asked: set[str] | None = None, prefix: str = "") -> None:
        super().__init__(map)
        self.asked: set[str] = set() if asked is None else asked
        self._prefix = prefix

    def _note(self, key: Any) -> None:
        self.asked.add(f"{self._prefix}{key}")

    def get(self, key: Any, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def _note_all(self) -> None:
        for key in super().__iter__():
            self._note(key)

    def __iter__(self) -> Iterator[str]:
        self._note_all()
        return super().__iter__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        self._note_all()
        return super().keys()

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self._note_all()
        return super().items()

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self._note_all()
        return super().values()

    def _plain(self) -> ConfigParams:
        """The same without a note of who asks."""
        return ConfigParams(dict(zip(super().keys(), super().values(), strict=True)))

    def get_section_names(self) -> list[str]:
        return self._plain().get_section_names()

    def get_section(self, section: str) -> WatchedParams:
        self._note(section)
        return WatchedParams(self._plain().get_section(section), self.asked, f"{self._prefix}{section}.")

    def override(self, config_params: Mapping[str, Any] | None) -> WatchedParams:
        return WatchedParams(self._plain().override(config_params), self.asked, self._prefix)

    def set_defaults(self, default_config_params: Mapping[str, Any] | None) -> WatchedParams:
        """Keys that have a default are known to the component, as those it asks for."""
        for key in default_config_params or ():
            self._note(key)
        return WatchedParams(self._plain().set_defaults(default_config_params), self.asked, self._prefix)
