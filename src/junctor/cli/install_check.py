"""The check of a flow before it is installed: with the variables and secrets of a unit, not those of this shell."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli.options import FlowArguments
from junctor.errors import ConfigurationError, SeveralProblems

if TYPE_CHECKING:
    from junctor.flows.check.findings import Finding
    from junctor.flows.wiring import Wiring

_KEPT = ("HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH")  # what systemd gives a unit of itself


def checked(flows: FlowArguments, secrets: dict[str, Path]) -> list[Wiring]:
    """The flows. What does not load or connect is refused now, not at the next start of the machine.

    :param secrets: the files that systemd would hand over, by name.
    :raises JunctorError: what is wrong with it.
    """
    from junctor.flows.check.check import check

    with _environment_of_a_unit(secrets):
        report, wirings = check(flows.targets, flows.overrides)
    errors = [finding for finding in report.findings if finding.level == "error"]
    if errors:
        _tell_of_variables(" ".join(f"{finding.what} {finding.fix}" for finding in errors))
        raise SeveralProblems.of(map(_error, errors), where=" ".join(flows.targets))
    if count := report.count("warning"):
        shown = shlex.join(("junctor", "check", *flows.targets))
        click.echo(f"note: {count} warning{'s' if count > 1 else ''}: `{shown}` shows more", err=True)
    for change in flows.overrides.set:
        _refuse_secret(change, wirings)
    return wirings


def _error(finding: Finding) -> ConfigurationError:
    where = f"{finding.where} ({finding.place})" if finding.where and finding.place else finding.where or finding.place
    return ConfigurationError(finding.what, where=where, fix=finding.fix)


def _tell_of_variables(text: str) -> None:
    for name in re.findall(r"\w+", text):
        if name in os.environ and name not in _KEPT:
            click.echo(f"${name} is set in this shell; a unit has it from --env-file or --secret.", err=True)
            return


def _refuse_secret(change: str, wirings: Sequence[Wiring]) -> None:
    """:raises ConfigurationError: it changes a secret, in whatever way the setting is named."""
    from junctor.settings import Secret

    place = change.partition("=")[0].strip()
    flow, _, below = place.rpartition("/")
    service, _, path = below.partition(".")
    setting = path.removeprefix("settings.").partition(".")[0]
    services = [plan.spec for wiring in wirings if flow in ("", wiring.plan.name) for plan in wiring.plan.services]
    if any(spec.name == service and isinstance(spec.settings.get(setting), Secret) for spec in services):
        raise ConfigurationError(
            "everybody on the machine can read a unit, so a secret cannot stand in it",
            where=f"--set {place}",
            fix=f"Write ${{secret:{setting.upper()}}} in the flow file and give --secret {setting.upper()}=FILE.",
        )


@contextlib.contextmanager
def _environment_of_a_unit(secrets: dict[str, Path]) -> Iterator[None]:
    import tempfile

    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="junctor-") as folder:
        for name, file in secrets.items():
            if not file.is_file():
                raise ConfigurationError("there is no such file", where=f"--secret {name}={file}")
            (Path(folder) / _checked_secret(name)).symlink_to(file)
        try:
            os.environ.clear()
            os.environ.update({name: before[name] for name in _KEPT if name in before})
            if secrets:
                os.environ["CREDENTIALS_DIRECTORY"] = folder
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def _checked_secret(name: str) -> str:
    if not re.fullmatch(r"\w[\w.-]{0,98}", name, re.ASCII):
        fix = "Use letters, digits and _."
        raise ConfigurationError(f'"{name}" cannot be the name of a secret', where="--secret", fix=fix)
    return name
