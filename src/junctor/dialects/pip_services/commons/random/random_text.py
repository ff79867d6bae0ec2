"""Random words, names and sentences."""

from __future__ import annotations

import random
from collections.abc import Callable

_COLORS = ("Amber", "Black", "Blue", "Brown", "Green", "Grey", "Ochre", "Orange", "Purple", "Red", "White", "Yellow")
_THINGS = ("Barrel", "Candle", "Drawer", "Hammer", "Kettle", "Ladder", "Lantern", "Mirror", "Needle", "Parcel", "Rope")
_ADJECTIVES = (
    "Brave",
    "Brisk",
    "Calm",
    "Dusty",
    "Even",
    "Firm",
    "Gentle",
    "Heavy",
    "Loose",
    "Mellow",
    "Quick",
    "Steep",
)
_VERBS = (
    "Bring",
    "Carry",
    "Draw",
    "Fetch",
    "Gather",
    "Hold",
    "Lift",
    "Mend",
    "Order",
    "Paint",
    "Send",
    "Turn",
    "Weigh",
)
_FIRST = ("Ada", "Bruno", "Clara", "David", "Edda", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Lena", "Mark", "Nora")
_LAST = (
    "Abel",
    "Brandt",
    "Carver",
    "Dorn",
    "Ebert",
    "Fischer",
    "Gruber",
    "Hale",
    "Iversen",
    "Jansen",
    "Keller",
    "Lang",
)
_NOUNS = _THINGS + _LAST


class RandomText:
    @staticmethod
    def color() -> str:
        return random.choice(_COLORS)

    @staticmethod
    def stuff() -> str:
        return random.choice(_THINGS)

    @staticmethod
    def noun() -> str:
        return random.choice(_NOUNS)

    @staticmethod
    def adjective() -> str:
        return random.choice(_ADJECTIVES)

    @staticmethod
    def verb() -> str:
        return random.choice(_VERBS)

    @staticmethod
    def word() -> str:
        return random.choice(_NOUNS + _ADJECTIVES + _VERBS + _COLORS)

    @staticmethod
    def words(min_size: int, max_size: int | None = None) -> str:
        """Words without spaces, as many as a random number between the bounds."""
        return "".join(RandomText.word() for _ in range(_between(min_size, max_size)))

    @staticmethod
    def phrase(min_size: int, max_size: int | None = None) -> str:
        """Words with spaces between, cut at a length between the bounds."""
        return _filled(_between(min_size, max_size), RandomText.word)

    @staticmethod
    def text(min_size: int, max_size: int | None = None) -> str:
        """Sentences, cut at a length between the bounds."""
        return _filled(_between(min_size, max_size), _sentence)

    @staticmethod
    def name() -> str:
        return f"{random.choice(_FIRST)} {random.choice(_LAST)}"

    @staticmethod
    def full_name() -> str:
        return f"{random.choice(('Dr.', 'Mr.', 'Mrs.', 'Ms.'))} {RandomText.name()}"

    @staticmethod
    def phone() -> str:
        """Of a range that is kept free for examples."""
        return f"({random.randint(200, 999)}) 555-01{random.randint(0, 99):02}"

    @staticmethod
    def email() -> str:
        """In a domain that is kept free for examples."""
        return f"{RandomText.words(2)}@{RandomText.noun().lower()}.example.com"


def _between(low: int, high: int | None) -> int:
    return random.randint(low, max(low, high if high is not None else low))


def _sentence() -> str:
    return RandomText.phrase(10, 40).capitalize() + "."


def _filled(size: int, part: Callable[[], str]) -> str:
    words: list[str] = []
    while len(" ".join(words)) < size:
        words.append(part())
    return " ".join(words)[:size].rstrip()
