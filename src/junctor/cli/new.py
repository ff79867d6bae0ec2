"""``junctor new``: a project that runs, with a test that passes."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import click

from junctor import __version__
from junctor.errors import ConfigurationError

TEMPLATES = ("flow", "minimal")
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_LONGEST = 60
_TAKEN = frozenset({"junctor", "pytest", "test", "tests", "service", "readings", "monitor", "alarm"})
_HIDDEN = frozenset({".git", ".gitignore", ".DS_Store", ".venv", ".idea", ".vscode"})
"""What may be in a folder that counts as empty; a file that is there already is not touched."""


@click.command("new")
@click.argument("folder", metavar="NAME")
@click.option("--template", type=click.Choice(TEMPLATES), default="flow", show_default=True, help="What it begins as.")
@click.option("--docker", is_flag=True, help="With a Dockerfile and a compose file.")
def command(folder: str, template: str, docker: bool) -> None:
    """Make a project that runs, with a test that passes.

    NAME is the name of the project and of its folder, or a path that ends with it; "." is this folder. The template
    "flow" has two services that exchange messages, and a flow file; "minimal" is one service in one file.
    """
    if not folder.strip():
        raise click.BadParameter("it is empty: give the project a name", param_hint="NAME")
    place = Path(folder).absolute()
    name = _checked(place.name)
    _refuse_used(place)
    module = name.replace("-", "_")
    target = "flow.yaml" if template == "flow" else f"{module}.py"
    words = {"name": name, "module": module, "target": target, "version": __version__}
    for part in ("common", template, *(["docker"] if docker else [])):
        for path, text in _files_of(part):
            _write(place / path.replace("service.py", target) if path == "service.py" else place / path, text, words)
    _say(place, template, target, docker)


def _checked(name: str) -> str:
    """The name itself; an error tells the nearest that can be one."""
    fit = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_LONGEST].strip("-")
    fit = fit if fit[:1].isalpha() else f"my-{fit}".rstrip("-")
    module = fit.replace("-", "_")
    if keyword.iskeyword(module) or module in sys.stdlib_module_names or module in _TAKEN:
        fit = f"my-{fit}"
        if _NAME.fullmatch(name):
            what = f'"{name}" is the name of something that Python or the project imports'
            raise ConfigurationError(what, where="junctor new", fix=f'Use another one, for example "{fit}".')
    if _NAME.fullmatch(name) and len(name) <= _LONGEST:
        return name
    rule = "Use small letters, digits and -, beginning with a letter"
    raise ConfigurationError(f"{name!r} cannot be a name", where="junctor new", fix=f'{rule}, for example "{fit}".')


def _refuse_used(place: Path) -> None:
    if place.exists() and not place.is_dir():
        raise ConfigurationError("this is a file", where=str(place), fix="Give another name.")
    found = sorted(path.name for path in place.iterdir() if path.name not in _HIDDEN) if place.is_dir() else []
    if found:
        shown = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise ConfigurationError(
            f"the folder is not empty: {shown}", where=str(place), fix="Give another name, or an empty folder."
        )


def _files_of(part: str) -> Iterator[tuple[str, str]]:
    """Path and text of each file of a template. In the package their names end with .txt: they are no code of ours."""
    yield from _below(files("junctor.cli") / "templates" / part, "")


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, str]]:
    for found in sorted(folder.iterdir(), key=lambda found: found.name):
        if found.is_dir():
            yield from _below(found, f"{path}{found.name}/")
        elif found.name.endswith(".txt"):
            yield path + found.name.removesuffix(".txt"), found.read_text(encoding="utf-8")


def _write(path: Path, text: str, words: dict[str, str]) -> None:
    for word, value in words.items():
        text = text.replace(f"{{{{{word}}}}}", value)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        click.echo(f"{path.name} is there already and stays as it is", err=True)


def _say(place: Path, template: str, target: str, docker: bool) -> None:
    try:
        shown = str(place.relative_to(Path.cwd()))
    except ValueError:
        shown = str(place)
    click.echo(f"made {place.name} in {shown}" if shown != "." else f"made {place.name} in this folder")
    if shown != ".":
        click.echo(f"  cd {shown}")
    click.echo(f"  junctor run --reload {target}")
    click.echo("  pytest")
    if docker:
        click.echo("  docker compose up --build")
