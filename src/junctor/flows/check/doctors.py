"""What the doctors of other systems find in the files of services that a flow has."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from junctor.flows.check.findings import Finding
from junctor.flows.check.places import owner_of
from junctor.flows.code.advice import remarks
from junctor.flows.dialects import dialect_of
from junctor.flows.wiring import Wiring
from junctor.observe.frames import is_users, short_path


def doctor_findings(wirings: Sequence[Wiring]) -> Iterator[Finding]:
    """Warnings: the files can be imported, so the services run, and something of them does nothing."""
    sources = [item.source for wiring in wirings for item in wiring.model.items]
    files = {file for source in sources if dialect_of(source) is not None for file in _files(source)}
    texts = {short_path(file): _text(file) for file in sorted(files)}
    for remark in remarks(texts) if texts else ():
        yield Finding("warning", remark.code, "", remark.what, remark.fix, f"{remark.file}:{remark.line}")


def _files(source: Any) -> Iterator[str]:
    """Where the class of a service is written, and its bases."""
    owner = owner_of(source)
    for cls in owner.__mro__ if isinstance(owner, type) else ():
        file = getattr(sys.modules.get(cls.__module__), "__file__", None)
        if isinstance(file, str) and is_users(file):
            yield os.path.abspath(file)


def _text(file: str) -> str:
    try:
        return Path(file).read_text("utf-8", "replace")
    except OSError:
        return ""
