"""``junctor doctor``: errors in the files of a project, each with its correction; ``--fix`` writes them."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from junctor.cli.options import json_option
from junctor.errors import ConfigurationError

if TYPE_CHECKING:
    from junctor.dialects.doctors import Doctor, Edit, Finding, Project

OK, FOUND = 0, 1


@click.command("doctor")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), default=".")
@click.option("--fix", is_flag=True, help="Write the corrections; each original stays beside its file as NAME.orig.")
@json_option
def command(folder: Path, fix: bool, as_json: bool) -> int:
    """Find errors in a project that was written for another framework.

    The files in FOLDER, by default this one, are read and never run. Each finding has its file, its line, what is
    wrong and the corrected line. With --fix the corrections are shown as a patch and written; what only a person can
    decide is listed after them.

    For the flows of Junctor itself see `junctor check`.

    The exit code is 0 when nothing is wrong (with --fix: any more), and 1 when something is.
    """
    from junctor.dialects.doctors import Project

    before = Project.read(folder.resolve())
    known = _known(before, folder)
    after, originals = _corrected(before, known, quiet=as_json) if fix else (before, {})
    left = _examined(after, known)
    if as_json:
        _print_json(after, known, left, originals)
    else:
        _print(after, left)
        click.echo(_summary(left, originals, known, fix))
    return FOUND if left else OK


def _known(project: Project, folder: Path) -> list[Doctor]:
    """
    :raises ConfigurationError: it is no project of any dialect.
    """
    from junctor.dialects.doctors import doctors

    installed = doctors()
    found = [doctor for doctor in installed if doctor.knows(project)]
    if not found:
        titles = _alternatives([doctor.title for doctor in installed]) or "any dialect"
        fix = "Name the folder of the project; for flows of Junctor run: junctor check"
        raise ConfigurationError(f"this is no project of {titles}", where=str(folder), fix=fix)
    return found


def _alternatives(words: list[str]) -> str:
    return " or ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def _examined(project: Project, doctors: Iterable[Doctor]) -> list[Finding]:
    return [finding for doctor in doctors for finding in doctor.examine(project)]


def _corrected(before: Project, doctors: list[Doctor], quiet: bool) -> tuple[Project, dict[str, str]]:
    """The corrected project, written; and where the original of each changed file is. Nothing is printed before all is
    written: who reads only the first lines has it corrected too."""
    from junctor.dialects.doctors import corrected

    after = corrected(before, lambda project: _examined(project, doctors))
    originals = dict(after.write(before))
    if not quiet:
        for file in originals:
            _print_patch(file, before.files[file], after.files[file])
            click.echo()
    return after, originals


_COLOURS = {"-": "red", "+": "green", "@": "cyan"}


def _print_patch(file: str, before: str, after: str) -> None:
    """As git writes it, and takes it."""
    from junctor.observe.logs import readable

    for line in difflib.unified_diff(_lines(before), _lines(after), f"a/{file}", f"b/{file}"):
        click.echo(click.style(readable(line.removesuffix("\n")), fg=_COLOURS.get(line[:1])))
        if not line.endswith("\n"):
            click.echo("\\ No newline at end of file")


def _lines(text: str) -> list[str]:
    """With their ends; the last may have none."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def _print(project: Project, findings: list[Finding]) -> None:
    from junctor.cli.words import safe

    ordered = sorted(findings, key=lambda finding: (finding.file, finding.line))
    for file, several in itertools.groupby(ordered, key=lambda finding: finding.file):
        click.echo(click.style(safe(file) or "(this environment)", bold=True))
        for finding in several:
            _print_one(project, finding)
        click.echo()


def _print_one(project: Project, finding: Finding) -> None:
    from junctor.cli.words import safe

    line = str(finding.line) if finding.line else ""
    click.echo(f"  {line:>4}  {safe(finding.what)}")
    for text in _correction(project, finding):
        click.echo(click.style(f"        {safe(text.rstrip())}", fg=_COLOURS.get(text[:1])))
    if not finding.correctable and finding.fix:
        click.echo(f"        {safe(finding.fix)}")


def _correction(project: Project, finding: Finding) -> Iterator[str]:
    """The lines that go and those that come, as in a patch."""
    for line in finding.imports:
        yield f"+ {line}"
    for edit in finding.edits:
        yield from (f"- {line}" for line in _going(project, edit))
        yield from (f"+ {line}" for line in edit.lines)


def _going(project: Project, edit: Edit) -> list[str]:
    return project.lines(edit.file)[edit.first - 1 : edit.last]


def _summary(left: list[Finding], originals: dict[str, str], doctors: list[Doctor], fix: bool) -> str:
    from junctor.cli.words import safe

    parts = []
    if originals:
        parts.append(
            f"{_counted(len(originals), 'file')} corrected; the originals are {safe(', '.join(originals.values()))}."
        )
    if left:
        parts.append(f"{_counted(len(left), 'error')}{' left' if fix else ''}.")
    correctable = sum(finding.correctable for finding in left)
    if correctable and not fix:
        parts.append(f"`junctor doctor --fix` corrects {correctable if correctable < len(left) else 'all'}.")
    if not left and not originals:
        parts.append(f"Nothing wrong was found ({', '.join(doctor.title for doctor in doctors)}).")
    return " ".join(parts)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _print_json(project: Project, doctors: list[Doctor], left: list[Finding], originals: dict[str, str]) -> None:
    from junctor.cli.words import json_text

    findings = [_plain(project, finding) for finding in left]
    titles = [doctor.title for doctor in doctors]
    click.echo(
        json_text({"folder": str(project.folder), "dialects": titles, "corrected": originals, "findings": findings})
    )


def _plain(project: Project, finding: Finding) -> dict[str, Any]:
    edits = [
        {"file": edit.file, "line": edit.first, "before": _going(project, edit), "after": edit.lines}
        for edit in finding.edits
    ]
    return {
        "code": finding.code,
        "file": finding.file,
        "line": finding.line,
        "what": finding.what,
        "fix": finding.fix,
        "correctable": finding.correctable,
        "edits": edits,
        "imports": finding.imports,
    }
