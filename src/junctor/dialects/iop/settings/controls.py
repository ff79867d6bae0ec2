"""The controls with which the portal of InterSystems IRIS edits a setting, by name.

Here they are kept and exported, so that a production can go back to IRIS.
"""

from __future__ import annotations

from typing import Any


def raw(name: str) -> str:
    """A control by the name that IRIS has for it."""
    return name


def selector(name: str, **context: Any) -> str:
    """A control with its context: ``selector("productionSelector", multiSelect=1)``."""
    return f"{name}?{'&'.join(f'{key}={value}' for key, value in context.items())}" if context else name


def production_item(*, multiple: bool = False) -> str:
    """Chooses an item of the production, or several."""
    context = {"multiSelect": 1} if multiple else {}
    return selector(
        "selector", **context, context="{Ens.ContextSearch/ProductionItems?targets=1&productionName=@productionId}"
    )


def partner() -> str:
    """Chooses a business partner."""
    return "partnerSelector"


def rule() -> str:
    """Chooses a business rule."""
    return "ruleSelector"


def credentials() -> str:
    """Chooses credentials by their id."""
    return "credentialsSelector"


def directory() -> str:
    """Chooses a folder."""
    return "directorySelector"


def file() -> str:
    """Chooses a file."""
    return "fileSelector"


def dtl() -> str:
    """Chooses a data transformation."""
    return "dtlSelector"


def schedule() -> str:
    """Chooses a schedule."""
    return "scheduleSelector"


def ssl_config() -> str:
    """Chooses a TLS configuration."""
    return "sslConfigSelector"


def bpl() -> str:
    """Chooses a process written in BPL."""
    return "bplSelector"


def character_set() -> str:
    """Chooses a character set."""
    return "characterSetSelector"


charset = character_set


def framing() -> str:
    """Chooses the framing of a connection."""
    return "framingSelector"


def local_interface() -> str:
    """Chooses a network interface."""
    return "localInterfaceSelector"


def schema_category() -> str:
    """Chooses a category of schemas."""
    return "schemaCategorySelector"


def search_table() -> str:
    """Chooses a search table."""
    return "searchTableSelector"
