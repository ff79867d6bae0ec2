"""What a doctor finds: values, so that a terminal, a script and an editor can each show them."""

from __future__ import annotations

import msgspec


class Edit(msgspec.Struct, frozen=True):
    """Lines in place of others.

    :param first: the first line that goes, from 1.
    :param last: the last line that goes; ``first - 1``: none goes, the new ones come before ``first``.
    :param lines: the new lines, without their ends.
    """

    file: str
    first: int
    last: int
    lines: tuple[str, ...]


class Finding(msgspec.Struct, frozen=True):
    """One error of a project.

    :param code: a stable word for its kind.
    :param file: relative to the folder of the project; empty where it is none of its files.
    :param line: from 1; 0 for the whole file.
    :param edits: what corrects it, in any files; none, and no ``imports``: a person has to.
    :param imports: lines that its file needs among its imports.
    :param fix: what to do, in words, where there is no edit.
    """

    code: str
    file: str
    line: int
    what: str
    edits: tuple[Edit, ...] = ()
    imports: tuple[str, ...] = ()
    fix: str = ""

    @property
    def correctable(self) -> bool:
        return bool(self.edits or self.imports)
