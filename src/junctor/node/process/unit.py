"""The systemd unit of a flow, as text: what it runs, as whom, and what it may touch.

A unit is not shell and has rules of its own. Words of a command are split at blanks, ``%`` begins a specifier, and
``$`` a variable unless the command begins with a colon; a path behind ``WorkingDirectory=`` is taken as it stands.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from junctor.errors import ConfigurationError

STOP = 15
"""Seconds for a stop, above the 9.5 that a node takes at most."""
WATCHDOG = 30
"""Seconds of a blocked event loop after which systemd restarts the node."""

_MARK = re.compile(r"# Written by `junctor install` \(([0-9a-f]{16})\)\.")
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?", re.ASCII)
_FEATURES = ("NoNewPrivileges", "LockPersonality", "RestrictRealtime", "RestrictSUIDSGID")
_SYSTEM_FEATURES = (
    "ProtectKernelTunables",
    "ProtectKernelModules",
    "ProtectKernelLogs",
    "ProtectControlGroups",
    "ProtectClock",
    "ProtectHostname",
    "RestrictNamespaces",
)


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit says. Paths are absolute.

    ``program`` is the command line tool, ``words`` what stands behind ``run``. ``per_user``: for the service manager of
    one user. ``account`` is the user that a system unit runs as; empty: one that systemd makes for it. ``secrets`` are
    names and files, ``writes`` folders that it may change beside its own. ``home`` and ``private_tmp`` say what of
    ``/home`` and ``/tmp`` it sees; ``low_port``: it listens below 1024.
    """

    name: str
    program: tuple[str, ...]
    words: tuple[str, ...]
    folder: Path
    per_user: bool = False
    account: str = ""
    secrets: tuple[tuple[str, Path], ...] = ()
    writes: tuple[Path, ...] = ()
    home: Literal["yes", "read-only", "no"] = "yes"
    private_tmp: bool = True
    low_port: bool = False

    @property
    def file(self) -> str:
        """The name of the unit's file."""
        return file_of(self.name)

    @property
    def data(self) -> str:
        """Its data directory, as the unit names it."""
        return f"junctor/{self.name}"


def file_of(name: str) -> str:
    """The file of a flow's unit."""
    return f"junctor-{name}.service"


def text_of_unit(unit: Unit) -> str:
    """The whole file. Its first line has a digest of the rest, by which :func:`is_ours` knows it again.

    :raises ConfigurationError: a path or word cannot stand in a unit.
    """
    lines = ["[Unit]", *_head(unit), "", "[Service]", *_service(unit), "", "# What it may do and touch"]
    lines += [*_limits(unit), "", "[Install]", f"WantedBy={'default' if unit.per_user else 'multi-user'}.target", ""]
    rest = "\n".join(lines)
    return f"# Written by `junctor install` ({_digest(rest)}). Changes: systemctl edit {unit.file}\n{rest}"


def is_ours(text: str) -> bool:
    """Whether ``junctor install`` wrote this file and nobody changed it since."""
    first, _, rest = text.partition("\n")
    found = _MARK.match(first)
    return found is not None and found[1] == _digest(rest)


def _digest(rest: str) -> str:
    return hashlib.sha256(rest.encode()).hexdigest()[:16]


def _head(unit: Unit) -> Iterator[str]:
    yield f"Description=Junctor flow {unit.name}"
    if not unit.per_user:
        yield "Wants=network-online.target"
        yield "After=network-online.target"


def _service(unit: Unit) -> Iterator[str]:
    yield "Type=notify"
    yield f"ExecStart={command([*unit.program, 'run', *unit.words])}"
    # The node knows what it was started with. No variable is needed: $STATE_DIRECTORY is made of %S.
    yield f"ExecReload={command([*unit.program, 'apply', '--node'])} %S/{unit.data}"
    yield f"WorkingDirectory={raw_path(unit.folder)}"
    yield f"StateDirectory={unit.data}"
    yield "StateDirectoryMode=0700"
    for name, file in unit.secrets:
        yield f"LoadCredential={name}:{raw_path(file)}"
    yield "Restart=on-failure"
    yield "RestartSec=2"
    yield "# Wrong words (2), wrong configuration or an unusable store (78): trying again does not help."
    yield "RestartPreventExitStatus=2 78"
    yield f"WatchdogSec={WATCHDOG}"
    yield "TimeoutStartSec=90"
    yield f"TimeoutStopSec={STOP}"
    yield "# The node stops its workers by itself."
    yield "KillMode=mixed"


def _limits(unit: Unit) -> Iterator[str]:
    yield "UMask=0077"
    yield from (f"{feature}=yes" for feature in _FEATURES)
    yield "SystemCallArchitectures=native"
    if not unit.per_user:
        yield from _system_limits(unit)


def _system_limits(unit: Unit) -> Iterator[str]:
    yield f"User={_account(unit.account)}" if unit.account else "DynamicUser=yes"
    yield "ProtectSystem=strict"
    yield f"ProtectHome={unit.home}"
    if unit.private_tmp:
        yield "PrivateTmp=yes"
    yield from (f"{feature}=yes" for feature in _SYSTEM_FEATURES)
    yield "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK"
    yield f"CapabilityBoundingSet={'CAP_NET_BIND_SERVICE' if unit.low_port else ''}"
    if unit.low_port:
        yield "AmbientCapabilities=CAP_NET_BIND_SERVICE"
    for folder in unit.writes:
        yield f"ReadWritePaths={word(str(folder))}"


# Writing ------------------------------------------------------------------------------------------------------


def command(words: Sequence[str]) -> str:
    """A command line that systemd splits into exactly these words.

    :raises ConfigurationError: a word cannot stand in a unit, or the program is one that systemd does not run.
    """
    if re.search(r"[\"'\\]", words[0]):
        raise ConfigurationError(
            "systemd runs no program with a quote or a backslash in its path",
            where=words[0],
            fix="Put the Python environment into another folder.",
        )
    # The colon turns variables off, so that a $ is one; doubling it would not do in the path of the program.
    colon = ":" if any("$" in one for one in words) else ""
    return colon + " ".join(map(word, words))


def word(text: str) -> str:
    """One word, quoted where it must be.

    :raises ConfigurationError: it has a character that no unit can have.
    """
    checked = _checked(text).replace("%", "%%")
    if checked and not re.search(r"[\s\"'\\;#]", checked):
        return checked
    escaped = checked.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def raw_path(path: Path) -> str:
    """A path where a unit takes the rest of the line as it is.

    :raises ConfigurationError: it has a character that no unit can have.
    """
    text = _checked(str(path)).replace("%", "%%")
    # A blank at the end would be cut off, and a backslash there joins the next line.
    return f"{text}/" if text != text.rstrip() or text.endswith("\\") else text


def _account(name: str) -> str:
    if not _ACCOUNT.fullmatch(name):
        raise ConfigurationError(
            f"{ascii(name)} cannot be the name of a user", where="install", fix="Give one of `getent passwd`."
        )
    return name


def _checked(text: str) -> str:
    if _UNWRITABLE.search(text):
        raise ConfigurationError(
            f"{ascii(text)} cannot stand in a systemd unit",
            where="install",
            fix="Use a name without control characters, in UTF-8.",
        )
    return text
