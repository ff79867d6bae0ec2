"""Files that commands write with ``-o``: what their ending says, and the file in one step."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from junctor.errors import JunctorError


class NotWritten(JunctorError):
    """A file could not be written where it was asked for."""

    code = "not-written"


_NO_OPTION = ("text", "markdown")
"""Forms that only an ending asks for."""


def form_of(output: str, forms: Mapping[str, str]) -> str:
    """The form that the ending of a file stands for.

    :param forms: ending to form.
    :raises click.BadParameter: the ending of the file says nothing.
    """
    ending = Path(output).suffix.lower()
    if ending not in forms:
        what = f'the ending "{ending}" is not known' if ending else "the name has no ending"
        words = _listed(f"--{form}" for form in dict.fromkeys(forms.values()) if form not in _NO_OPTION)
        raise click.BadParameter(f"{what}. End it with {', '.join(forms)}, or say {words}.", param_hint=f"-o {output}")
    return forms[ending]


def _listed(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def write(path: Path, text: str, mode: int = 0o666) -> None:
    """The file in one step: who reads it meanwhile gets the old one, whole.

    :param mode: its permissions; the umask of the user takes from them, as from those of every new file.
    :raises NotWritten: the place is wrong, or has no room.
    """
    folder = path.absolute().parent
    if path.is_dir():
        raise NotWritten("this is a folder", where=f"-o {path}", fix="Name a file in it.")
    if not folder.is_dir():
        raise NotWritten(
            f"there is no folder {path.parent}", where=f"-o {path}", fix=f"Make it: mkdir -p {path.parent}"
        )
    try:
        _replace(path, folder, text, mode)
    except OSError as error:
        fix = f"Give a place that this user can write; {path.parent} is not, or has no room."
        raise NotWritten(f"it cannot be written: {error.strerror or error}", where=f"-o {path}", fix=fix) from error
    click.echo(f"{path} is written", err=True)


def _replace(path: Path, folder: Path, text: str, mode: int) -> None:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.chmod(file.name, mode & ~_umask())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise


def _umask() -> int:
    """That of this process, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
