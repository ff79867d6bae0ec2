"""Configurations in JSON files."""

from __future__ import annotations

import json
from typing import Any

from junctor.dialects.pip_services.components.config.file_config_reader import FileConfigReader


class JsonConfigReader(FileConfigReader):
    """Reads a file in JSON; it may be a template, see :class:`MustacheTemplate`."""

    @staticmethod
    def _parse(text: str) -> Any:
        return json.loads(text)
