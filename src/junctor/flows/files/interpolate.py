"""``${NAME}``, ``${NAME:-default}`` and ``${secret:NAME}`` in the values of a flow file."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from junctor.errors import ConfigurationError
from junctor.flows.files.variables import Variable
from junctor.settings import Leaf, Secret, Series, Table
from junctor.settings.written import Node

_REFERENCE = re.compile(r"\$(?:\$|\{)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DEEPEST = 5
"""Defaults within defaults."""

FindSecret = Callable[[str, str], Secret]
"""From the name of a secret and the place of the reference to the secret; raises ConfigurationError."""


class Interpolation:
    """Fills in references.

    :param variables: the environment and what stands under it.
    :param secret: finds a secret.

    What cannot be filled in is kept in ``problems``. ``origins`` has, by the place of the reference, name and value of
    each variable that came from a file, with its line there.
    """

    def __init__(self, variables: Mapping[str, str], secret: FindSecret) -> None:
        self.problems: list[ConfigurationError] = []
        self.origins: dict[str, list[tuple[str, str, str]]] = {}
        self._variables = variables
        self._secret = secret

    def filled(self, node: Node) -> Node:
        """The node with the values of its references; what has none is the same object."""
        if isinstance(node, Leaf):
            return self._leaf(node) if "$" in node.written and isinstance(node.value, str) else node
        if isinstance(node, Series):
            return Series(tuple(map(self.filled, node.items)), node.place)
        return Table({key: self.filled(part) for key, part in node.entries.items()}, node.place, node.keys)

    def _leaf(self, leaf: Leaf) -> Leaf:
        if _REFERENCE.search(leaf.written) is None:
            return leaf
        try:
            parts = self._parts(leaf.written, leaf.place, 0)
        except ConfigurationError as error:
            self.problems.append(error)
            return Leaf("", leaf.place, leaf.written, "given")
        referring = "${" in leaf.written.replace("$$", "")
        text = "".join(part.reveal() if isinstance(part, Secret) else part for part in parts)
        value = Secret(text) if any(isinstance(part, Secret) for part in parts) else text
        return Leaf(value, leaf.place, leaf.written, "given" if referring else "quoted")

    def _parts(self, text: str, place: str, depth: int) -> list[str | Secret]:
        parts: list[str | Secret] = []
        at = 0
        while (found := _REFERENCE.search(text, at)) is not None:
            parts.append(text[at : found.start()])
            if found[0] == "$$":
                parts.append("$")
                at = found.end()
            else:
                end = _closing(text, found.end(), place)
                parts += self._reference(text[found.end() : end], place, depth)
                at = end + 1
        return [*parts, text[at:]]

    def _reference(self, inside: str, place: str, depth: int) -> list[str | Secret]:
        if depth > _DEEPEST:
            raise ConfigurationError("the defaults are nested too deeply", where=place, fix="Make it simpler.")
        if inside.startswith("secret:"):
            return [self._secret_of(inside.removeprefix("secret:"), place)]
        name, sign, default = inside.partition(":-")
        if _NAME.fullmatch(name) is None:
            raise _no_reference(inside, place)
        value = self._variables.get(name)
        if value and isinstance(value, Variable):
            self.origins.setdefault(place, []).append((name, str(value), value.origin))
        if sign:
            return [value] if value else self._parts(default, place, depth + 1)
        if value is None:
            raise ConfigurationError(
                f"the variable {name} is not set",
                where=place,
                fix=f"Set it in the environment or with --env-file FILE, or give a default: ${{{name}:-VALUE}}.",
            )
        return [value]

    def _secret_of(self, name: str, place: str) -> Secret:
        if _SECRET_NAME.fullmatch(name) is None:
            fix = "Use letters, digits, _, - and dots: ${secret:DB_PASSWORD}. A secret has no default."
            raise ConfigurationError(f'"{name}" is no name of a secret', where=place, fix=fix)
        return self._secret(name, place)


def _closing(text: str, start: int, place: str) -> int:
    """Where the brace that opened before ``start`` is closed."""
    depth, at = 1, start
    while at < len(text):
        if text.startswith("${", at):
            depth += 1
            at += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at
        at += 1
    raise ConfigurationError(
        "${ is not closed", where=place, fix="Write ${NAME} or ${NAME:-default}; $$ stands for a dollar sign."
    )


def _no_reference(inside: str, place: str) -> ConfigurationError:
    name = _NAME.match(inside)
    if name is not None and (sign := inside[name.end() : name.end() + 1]) in ("-", "?", "=", "+"):
        # What follows is not shown: a default may be what nobody is to read.
        fix = f"A default is written ${{{name[0]}:-VALUE}}."
        return ConfigurationError(f"${{{name[0]}{sign}...}} is no reference", where=place, fix=fix)
    shown = inside if len(inside) <= 40 else f"{inside[:37]}..."
    what = f"${{{shown}}} is no reference"
    fix = "Write ${NAME}, ${NAME:-default} or ${secret:NAME}; $${ stands for the text itself."
    return ConfigurationError(what, where=place, fix=fix)
