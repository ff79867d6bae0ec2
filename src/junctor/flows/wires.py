"""Where a target leads, as users write it: a name, several, each perhaps with a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from junctor.core.condition import Condition
from junctor.core.spec import Wire
from junctor.errors import SeveralProblems
from junctor.flows.files.reading import Reader, described
from junctor.settings import Leaf, Series, Table
from junctor.settings.written import Node, node_of

Connect = str | Wire | Mapping[str, str] | Sequence[str | Wire | Mapping[str, str]]
"""Where a target leads: the name of a service, or several; ``{"to": NAME, "when": CONDITION}`` for a condition."""

_WORDS = frozenset({"to", "when"})
_EXAMPLE = '{to: alarm, when: "body.value > 80"}'


def when(to: str, condition: str) -> Wire:
    """A connection that takes only the messages that fulfil a condition: ``when("alarm", "body.value > 80")``.

    :param to: the name of a service.
    :param condition: an expression in CEL over ``body``, ``key`` and ``headers``.
    """
    return Wire(to, Condition(condition))


def read_wires(written: Mapping[str, Any], service: str) -> dict[str, tuple[Wire, ...]]:
    """The connections of a service, target by target.

    :raises ConfigurationError: something is no connection; several problems come together.
    """
    reader = Reader()
    made = {}
    for target, to in written.items():
        node = node_of(to)
        path = f"{service}.connect.{target}"
        parts = node.items if isinstance(node, Series) else (node,)
        if not parts:
            reader.wrong(path, node, "it leads nowhere", "Name a service, or leave it out to connect it by type.")
        made[target] = tuple(_wire(reader, part, path) for part in parts)
    if reader.problems:
        raise SeveralProblems.of(reader.problems, service)
    return made


def _wire(reader: Reader, node: Node, path: str) -> Any:
    if isinstance(node, Leaf) and isinstance(node.value, Wire):
        return node.value
    if isinstance(node, Table):
        return _conditional(reader, node, path)
    if not isinstance(node, Leaf) or not isinstance(node.value, str) or not node.value:
        what = f"expected the name of a service, got {described(node)}"
        return reader.wrong(path, node, what, f"Write a name, or {_EXAMPLE}.")
    return Wire(node.value)


def _conditional(reader: Reader, node: Table, path: str) -> Any:
    reader.known(node, _WORDS, path)
    to, condition = node.entries.get("to"), node.entries.get("when")
    if not isinstance(to, Leaf) or not isinstance(to.value, str) or not to.value:
        return reader.wrong(path, node, "it does not say where it leads", f"Write for example {_EXAMPLE}.")
    if condition is None:
        return Wire(to.value)
    if isinstance(condition, Leaf) and condition.looks in ("boolean", "word"):
        return Wire(to.value, Condition("true" if condition.value else "false", condition.place))
    if not isinstance(condition, Leaf) or not isinstance(condition.value, str):
        what = f"expected a condition, got {described(condition)}"
        return reader.wrong(f"{path}.when", condition, what, f"Write for example {_EXAMPLE}.")
    return Wire(to.value, Condition(condition.value, condition.place))
