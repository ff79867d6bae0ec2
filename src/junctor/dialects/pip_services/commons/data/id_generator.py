"""Identifiers that nobody has to keep count of."""

from __future__ import annotations

import random
import uuid


class IdGenerator:
    @staticmethod
    def next_short() -> str:
        """Nine digits: for people to say; with many of them two may be the same."""
        return str(random.randrange(100_000_000, 1_000_000_000))

    @staticmethod
    def next_long() -> str:
        """32 hexadecimal digits that are unique everywhere."""
        return uuid.uuid4().hex
