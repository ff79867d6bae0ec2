"""Errors say which component they are of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from junctor.dialects.pip_services.commons.refer import IReferences


@contextmanager
def named(component: str, step: str) -> Iterator[None]:
    """Note with an error that it happened here, unless a component inside has done so already.

    :param step: what was done: "configure", "link", "open", "close".
    """
    try:
        yield
    except (Exception, SystemExit) as error:
        if not getattr(error, "__notes__", None):
            error.add_note(f"in {step} of {component}")
        raise


def name_of(references: IReferences, component: Any) -> str:
    """The locator of a component, or its class where it has none."""
    pairs = zip(references.get_all_locators(), references.get_all(), strict=True)
    found = next((locator for locator, known in pairs if known is component), None)
    return type(component).__name__ if found is None else str(found)


def told(error: BaseException) -> str:
    """What an error says, and of which component it is."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    text = f"exit({error})" if isinstance(error, SystemExit) else str(error) or type(error).__name__
    return f"{text} ({notes})" if notes else text
