"""Random truth, elements and strings."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import Any

_CHARACTERS = string.ascii_letters + string.digits + "_"


class RandomBoolean:
    @staticmethod
    def chance(chances: float, max_chances: float) -> bool:
        """True in ``chances`` out of ``max_chances`` cases."""
        return random.random() * max_chances < chances

    @staticmethod
    def next_boolean() -> bool:
        return random.random() < 0.5


class RandomArray:
    @staticmethod
    def pick(values: Sequence[Any] | None) -> Any:
        """One of the elements; None where there are none."""
        return random.choice(values) if values else None


class RandomString:
    @staticmethod
    def pick(values: Sequence[str] | None) -> str | None:
        """One of the texts; None where there are none."""
        return random.choice(values) if values else None

    @staticmethod
    def pick_char(values: str) -> str:
        """One of the characters of a text; empty where there are none."""
        return random.choice(values) if values else ""

    @staticmethod
    def distort(value: str) -> str:
        """The text, now and then with another case of its first letter or a mark behind."""
        text = value.lower()
        if RandomBoolean.chance(1, 5):
            text = text.capitalize()
        if RandomBoolean.chance(1, 3):
            text += random.choice("!?.,:;-")
        return text

    @staticmethod
    def next_alpha_char() -> str:
        return random.choice(string.ascii_letters)

    @staticmethod
    def next_string(min_size: int, max_size: int) -> str:
        """Letters, digits and ``_``; both sizes are possible."""
        return "".join(random.choices(_CHARACTERS, k=random.randint(min_size, max(min_size, max_size))))
