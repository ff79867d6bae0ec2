"""A condition on a connection: an expression in CEL, the Common Expression Language, over a message.

CEL is total by design: no loops but over finite lists, no assignment, nothing of Python in reach. The expression comes
from the flow file; what it looks at comes from messages.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Condition(msgspec.Struct, frozen=True):
    """``body.value > 80.0 && body.sensor.startsWith("cpu")``: ``body`` is the message as data, ``key`` its key and
    ``headers`` its headers.

    ``text`` as written; ``where`` the place where it is written, for errors.
    """

    text: str
    where: str = ""

    def check(self, fields: frozenset[str] | None = None) -> None:
        """Compile it.

        :param fields: the fields that the body has, where they are known.
        :raises ConfigurationError: it is no expression, or names something that a message does not have.
        """
        raise NotImplementedError

    def holds(self, body: Any, key: str | None = None, headers: Any = None) -> bool:
        """Whether the message fulfils it.

        :raises ConditionFailed: it cannot be evaluated for this message, or its value is no truth value.
        """
        raise NotImplementedError
