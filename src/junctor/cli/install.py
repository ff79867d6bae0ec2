"""``junctor install``: a systemd unit for a flow, and taking it away again."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from junctor.cli.install_check import checked
from junctor.cli.options import FlowArguments, flow_options, pairs
from junctor.errors import JunctorError, nearest
from junctor.node.process import unit as units
from junctor.node.process.unit import Unit
from junctor.services.names import checked_name

if TYPE_CHECKING:
    from junctor.flows.wiring import Wiring

SYSTEM_FOLDER = Path("/etc/systemd/system")
BOOTED = Path("/run/systemd/system")
"""There where systemd runs the machine."""
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))


class InstallFailed(JunctorError):
    """The unit cannot be written, or systemd refused it."""

    code = "install"
    default_fix = "Correct the named place and install again."


@click.command("install")
@flow_options
@click.option("--user", "per_user", is_flag=True, help="For the service manager of this user: needs no root.")
@click.option("--host", metavar="ADDRESS", help="Listen here, as for run.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen on this port, as for run.")
@click.option("--secret", "secrets", multiple=True, metavar="NAME=FILE", help="A secret, handed over by systemd.")
@click.option("--write", "writes", multiple=True, metavar="FOLDER", help="A folder it may change; repeatable.")
@click.option("--run-as", "account", metavar="USER", help="The user it runs as; one of its own where that can be.")
@click.option("--print", "printed", is_flag=True, help="Print the unit, write nothing.")
@click.option("--to", "folder", metavar="FOLDER", help="Write it there, for an image: systemd need not run here.")
@click.option("--now", is_flag=True, help="Enable and start it too; with --remove, stop and disable it first.")
@click.option("--force", is_flag=True, help="Overwrite or remove a unit that was not written by this command.")
@click.option("--remove", is_flag=True, help="Take the unit of the flow away; its data stays.")
def command(
    flows: FlowArguments,
    per_user: bool,
    host: str | None,
    port: int | None,
    secrets: tuple[str, ...],
    writes: tuple[str, ...],
    account: str | None,
    printed: bool,
    folder: str | None,
    now: bool,
    force: bool,
    remove: bool,
) -> None:
    """Write a systemd unit that runs flows at every start of the machine, and restarts them when they fail or hang.

    TARGET and its options are those of run. The flow is checked first, without the variables of this shell, which a
    unit has not either. The node's data is in /var/lib/junctor/NAME, with --user in the state folder of the user.
    """
    place = _Place(per_user, Path(folder).absolute() if folder else None)
    if remove:
        _remove(place, _named(flows, place), now, force)
        return
    credentials = {name: Path(file).absolute() for name, file in pairs(secrets, "secret").items()}
    wirings = checked(flows, credentials)
    unit = _unit(wirings, flows, per_user, _listening(host, port), credentials, writes, account or "")
    text = units.text_of_unit(unit)
    if printed:
        click.echo(text, nl=False)
        return
    _write(place, unit.file, text, force)
    if now:
        place.systemctl("daemon-reload")
        place.systemctl("enable", "--now", unit.file)
    _tell(place, unit, now)


class _Place:
    """Where units are, and how the manager that reads them is told."""

    def __init__(self, per_user: bool, folder: Path | None) -> None:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        self.per_user = per_user
        self.given = folder is not None
        self.folder = folder or (home / "systemd" / "user" if per_user else SYSTEM_FOLDER)
        self.words = ("systemctl", "--user") if per_user else ("systemctl",)

    def shown(self, *words: str) -> str:
        """A command for the user to type."""
        return shlex.join(("sudo", *words) if not self.per_user and os.geteuid() else words)

    def check(self) -> None:
        """:raises InstallFailed: nobody would read a unit here."""
        if not self.given and (shutil.which("systemctl") is None or not BOOTED.is_dir()):
            raise InstallFailed(
                "this machine is not run by systemd",
                where="install",
                fix="`--print` shows the unit, `--to FOLDER` writes it for another machine. In a container, "
                "`junctor run` needs nothing around it.",
            )

    def systemctl(self, *words: str) -> None:
        """:raises InstallFailed: it refused."""
        if self.given:
            raise InstallFailed("--now and --to do not go together", where="install", fix="Leave one of them out.")
        done = subprocess.run([*self.words, *words], check=False, capture_output=True, text=True, timeout=120)
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines()
            raise InstallFailed(
                f"{shlex.join((*self.words, *words))} failed: {said[0] if said else done.returncode}",
                where="install",
                fix=f"`{self.shown(*self.words, 'status', words[-1])}` tells more.",
            )


# The flow -----------------------------------------------------------------------------------------------------


def _named(flows: FlowArguments, place: _Place) -> str:
    """The name of an installed flow: said, or that of its unit, or that of the flow, which may be broken by now."""
    if flows.overrides.name:
        return checked_name(flows.overrides.name)
    target = flows.targets[0]
    if (place.folder / units.file_of(target)).exists() or not Path(target.partition(":")[0]).exists():
        return target
    try:
        return flows.load()[0].name
    except JunctorError as error:  # a secret of it, for one, is there only where the unit runs
        known = ", ".join(_installed(place))
        what = f"the flow does not load, so its name is not known: {error.what.rstrip('.')}"
        fix = f"Give the name instead of the file: {known}." if known else None
        raise InstallFailed(what, where=target, fix=fix) from error


def _installed(place: _Place) -> list[str]:
    """The names of flows with a unit here."""
    return sorted(one.name[len("junctor-") : -len(".service")] for one in place.folder.glob("junctor-*.service"))


# The unit -----------------------------------------------------------------------------------------------------


def _listening(host: str | None, port: int | None) -> tuple[str, ...]:
    said = ("--host", host) if host is not None else ()
    return (*said, "--port", str(port)) if port is not None else said


def _unit(
    wirings: list[Wiring],
    flows: FlowArguments,
    per_user: bool,
    listen: tuple[str, ...],
    secrets: dict[str, Path],
    writes: tuple[str, ...],
    account: str,
) -> Unit:
    over = flows.overrides
    files = [*map(_absolute, flows.targets), *map(_file, over.overlays), *map(_file, over.env_files)]
    count = len(flows.targets)
    words = [*files[:count]]
    words += [part for file in files[count : count + len(over.overlays)] for part in ("--overlay", file)]
    words += [part for file in files[count + len(over.overlays) :] for part in ("--env-file", file)]
    words += [part for change in over.set for part in ("--set", change)]
    words += ["--name", over.name] if over.name else []
    program = _program()
    seen = [Path(text.partition(":")[0]) for text in files if text.startswith("/")]
    seen += [Path(program[0]), Path(sys.prefix), Path(sys.base_prefix), Path.cwd()]
    account = account or _owner(seen)
    ports = [wiring.model.http.port or 0 for wiring in wirings if wiring.model.http is not None]
    ports += [int(listen[-1])] if "--port" in listen else []
    return Unit(
        name=wirings[0].plan.name,
        program=program,
        words=(*words, *listen),
        folder=Path.cwd(),
        per_user=per_user,
        account=account,
        secrets=tuple(secrets.items()),
        writes=tuple(Path(folder).absolute() for folder in writes),
        home="read-only" if _any_below(seen, _HOMES) else "yes",
        private_tmp=not _any_below(seen, _TEMPORARY),
        low_port=any(0 < port < 1024 for port in ports),
    )


def _program() -> tuple[str, ...]:
    """The command line tool of this Python. Links stay: through one a virtual environment knows its packages."""
    tool = Path(sys.executable).absolute().parent / "junctor"
    return (str(tool),) if os.access(tool, os.X_OK) else (str(Path(sys.executable).absolute()), "-P", "-m", "junctor")


def _absolute(target: str) -> str:
    """A file or folder by its whole path; the name of a module stays."""
    place, colon, attribute = target.partition(":")
    return f"{Path(place).absolute()}{colon}{attribute}" if Path(place).exists() else target


def _file(path: str) -> str:
    return str(Path(path).absolute())


def _owner(paths: list[Path]) -> str:
    """Whose user must run it: the owner of the first path that is closed to others; empty when all are open."""
    for path in paths:
        closed = _closed(path)
        if closed is None and _any_below([path], _TEMPORARY):
            closed = path  # a user that systemd makes has a /tmp of its own
        if closed is not None:
            import pwd

            number = closed.stat().st_uid
            with contextlib.suppress(KeyError):
                return pwd.getpwuid(number).pw_name
            return str(number)
    return ""


def _closed(path: Path) -> Path | None:
    """The file or the folder on the way to it that other users may not enter or read."""
    for way in dict.fromkeys((path, path.resolve())):
        for part in (way, *way.parents):
            mode = part.stat().st_mode
            if not mode & (0o001 if part.is_dir() else 0o004):
                return part
    return None


def _any_below(paths: list[Path], folders: tuple[Path, ...]) -> bool:
    every = {way for path in paths for way in (path, path.resolve())}
    return any(way.is_relative_to(folder) for way in every for folder in folders)


# The file -----------------------------------------------------------------------------------------------------


def _write(place: _Place, name: str, text: str, force: bool) -> None:
    place.check()
    path = place.folder / name
    _refuse_foreign(path, force)
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        _exchange(path, text)
    except OSError as error:
        raise _unwritable(place, error) from error


def _exchange(path: Path, text: str) -> None:
    """Put it there in one step, by way of a file of a name that nobody can have prepared."""
    import tempfile

    number, fresh = tempfile.mkstemp(prefix=".junctor-", dir=path.parent)
    try:
        with open(number, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(number, 0o644)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def _unwritable(place: _Place, error: OSError) -> InstallFailed:
    mine = place.per_user or place.given
    fix = None if mine else "Run it with sudo, or give --user for a unit of your own."
    return InstallFailed(f"the unit cannot be written: {error.strerror or error}", where=str(place.folder), fix=fix)


def _refuse_foreign(path: Path, force: bool) -> None:
    with contextlib.suppress(FileNotFoundError):
        if not force and not units.is_ours(path.read_text(encoding="utf-8", errors="replace")):
            raise InstallFailed(
                "the file was changed by hand, or written by something else",
                where=str(path),
                fix=f"Keep your changes with `systemctl edit {path.name}` and give --force.",
            )


def _tell(place: _Place, unit: Unit, now: bool) -> None:
    click.echo(f"wrote {place.folder / unit.file}")
    if unit.account == "root" and not place.per_user:
        click.echo("note: it runs as root, because its files are closed to others; --run-as USER changes that")
    if place.given:
        return
    if not now:
        click.echo(place.shown(*place.words, "daemon-reload"))
        click.echo(place.shown(*place.words, "enable", "--now", unit.file))
    journal = ("journalctl", "--user") if place.per_user else ("journalctl",)
    click.echo(place.shown(*place.words, "status", unit.file))
    click.echo(place.shown(*journal, "--unit", unit.file, "--follow"))
    if not place.per_user:
        click.echo(place.shown(*unit.program, "status", "--node", f"/var/lib/{unit.data}"))
    else:
        click.echo("loginctl enable-linger" + "   # to have it run while you are not logged in")


def _remove(place: _Place, name: str, now: bool, force: bool) -> None:
    path = place.folder / units.file_of(name)
    if not path.exists():
        fix = nearest(name, _installed(place)).rstrip() or None
        raise InstallFailed(f'there is no unit of a flow "{name}"', where=str(place.folder), fix=fix)
    _refuse_foreign(path, force)
    enabled = list(place.folder.glob(f"*.wants/{path.name}"))
    if now:
        place.systemctl("disable", "--now", path.name)
    elif enabled:
        off = place.shown(*place.words, "disable", "--now", path.name)
        raise InstallFailed("the unit is enabled", where=str(path), fix=f"Give --now too, or first run `{off}`.")
    try:
        path.unlink()
    except OSError as error:
        raise _unwritable(place, error) from error
    if now:
        place.systemctl("daemon-reload")
    click.echo(f"removed {path}")
    if not place.given and not now:
        click.echo(place.shown(*place.words, "daemon-reload"))
    where = f"/var/lib/junctor/{name}" if not place.per_user else f"junctor/{name} of the user's state folder"
    click.echo(f"The data of the flow stays in {where}.")
