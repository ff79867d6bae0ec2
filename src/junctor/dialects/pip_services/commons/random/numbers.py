"""Random numbers.

Ranges are half open, as of :func:`random.randrange`; of a single bound the other is 0.
"""

from __future__ import annotations

import random


class RandomInteger:
    @staticmethod
    def next_integer(min: int, max: int | None = None) -> int:
        low, high = (0, min) if max is None else (min, max)
        return low if high <= low else random.randrange(low, high)

    @staticmethod
    def update_integer(value: int, range: int | None = None) -> int:
        """A number near another, at most ``range`` away (a tenth of it by default)."""
        away = abs(value) // 10 if range is None else range
        return value + random.randint(-away, away) if away > 0 else value

    @staticmethod
    def sequence(min: int, max: int | None = None) -> list[int]:
        """0, 1, 2 ... as many as a random number between the bounds, both included."""
        return list(range(random.randint(min, max) if max is not None and max > min else min))


class RandomFloat:
    @staticmethod
    def next_float(min: float, max: float | None = None) -> float:
        low, high = (0.0, min) if max is None else (min, max)
        return low if high <= low else random.uniform(low, high)

    @staticmethod
    def update_float(value: float, range: float | None = None) -> float:
        """A number near another, at most ``range`` away (a tenth of it by default)."""
        away = abs(value) / 10 if range is None else range
        return value + random.uniform(-away, away)


class RandomDouble:
    @staticmethod
    def next_double(min: float, max: float | None = None) -> float:
        return RandomFloat.next_float(min, max)

    @staticmethod
    def update_double(value: float, range: float | None = None) -> float:
        return RandomFloat.update_float(value, range)
