"""The data directory of a node: where it is, who may read it, and how a command finds it.

A node that runs has a control socket in it. The path of a unix socket may be at most about 100 bytes long; in a folder
deeper than that, the socket lies in a private temporary folder and the file ``control.path`` names it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

from junctor.errors import ConfigurationError, NodeNotFound, StoreError, StoreLocked, nearest
from junctor.store.identity import DATABASE, IDENTITY, LOCK

log = logging.getLogger("junctor.node")

HOME = ".junctor"
SOCKET = "control.sock"
POINTER = "control.path"
SOCKET_PATH_LIMIT = 100
CONNECT_PATIENCE = 2.0  # seconds: a node whose loop is busy still has a listening socket, only a dead one refuses


class MayStart(NodeNotFound):
    """No node runs there, and one may be starting: the same question may have another answer in a moment."""

    code = "node-not-running"


def data_directory(flow: str, store: str | Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """Where a node of this flow keeps its data: ``store``, $JUNCTOR_STORE, $STATE_DIRECTORY, else ./.junctor/FLOW."""
    env = os.environ if env is None else env
    # systemd lists several state directories separated by colons; the first is the node's.
    chosen = store or env.get("JUNCTOR_STORE") or env.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(chosen).expanduser().absolute() if chosen else Path.cwd() / HOME / flow


def prepare(directory: Path) -> None:
    """Make the directory, readable by its owner only; folders below ``.junctor`` stay out of git.

    :raises StoreError: it cannot be made or written, or others could change what is in it.
    """
    try:
        home = directory.parent
        if home.name == HOME:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            _refuse_shared(home)
            _ignore(home)
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        _refuse_shared(directory)
    except OSError as error:
        raise StoreError(
            f"the data directory cannot be made: {error.strerror or error}",
            where=str(directory),
            fix="Give a folder that this user can write with --store or $JUNCTOR_STORE.",
        ) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StoreError(
            "the data directory is read-only",
            where=str(directory),
            fix="Give the folder to this user, or another one with --store or $JUNCTOR_STORE.",
        )


def _refuse_shared(folder: Path) -> None:
    """Whoever can write into the folder can put a store of theirs, or a link, in the place of ours."""
    found = folder.stat()
    user = os.geteuid()
    if user not in (found.st_uid, 0):
        raise StoreError(
            f"the folder belongs to another user ({user_name(found.st_uid)})",
            where=str(folder),
            fix="Run the node as that user, or give a folder of your own with --store or $JUNCTOR_STORE.",
        )
    if found.st_mode & 0o022:
        raise StoreError(
            f"other users can write into the folder (mode {stat.S_IMODE(found.st_mode):o})",
            where=str(folder),
            fix=f"Run `chmod 700 {shlex.quote(str(folder))}` when what is in it is yours, or give another folder.",
        )
    if found.st_uid != user:
        if user == 0:
            text = "%s belongs to %s and the node runs as root: what it writes there, that user cannot read"
            log.warning(text, folder, user_name(found.st_uid))
    elif found.st_mode & 0o077:
        folder.chmod(found.st_mode & 0o700)


def user_name(number: int) -> str:
    """The login name of a user, its number where it has none."""
    import pwd  # only for what is shown

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _ignore(home: Path) -> None:
    with contextlib.suppress(FileExistsError):
        file = os.open(home / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(file, b"*\n")
        finally:
            os.close(file)


# Finding a node ---------------------------------------------------------------------------------------------


def find(node: str | Path | None = None, env: Mapping[str, str] | None = None) -> Path:
    """The data directory a command means: ``node``, $JUNCTOR_NODE, $JUNCTOR_STORE, else the one in ./.junctor.

    ``node`` is a path or the name of a folder in ./.junctor.

    :raises NodeNotFound: there is none, or more than one and not exactly one of them runs; the text lists them.
    :raises MayStart: the same, where it may be otherwise in a moment.
    """
    env = os.environ if env is None else env
    given = str(node or env.get("JUNCTOR_NODE") or "")
    if given:
        return _named(given)
    store = env.get("JUNCTOR_STORE")
    return _only(Path(store).expanduser().absolute()) if store else _only(Path.cwd())


def _named(given: str) -> Path:
    path = Path(given).expanduser().absolute()
    if path.is_dir():
        return _only(path)
    below = Path.cwd() / HOME / given
    if below.is_dir():
        return below
    known = [folder.name for folder in nodes(Path.cwd())]
    comes = not path.exists() and path.parent.is_dir() and (os.sep in given or not known)
    kind = MayStart if comes else NodeNotFound
    raise kind(f'there is no node "{given}"', fix=nearest(given, known).rstrip() or None)


def _only(folder: Path) -> Path:
    """The folder itself where it is a data directory, else the one node of its ``.junctor``."""
    if not os.access(folder, os.R_OK | os.X_OK):
        raise NodeNotFound("this user may not read the folder", where=str(folder), fix="Run the command as its owner.")
    is_data = any((folder / name).exists() for name in (IDENTITY, SOCKET, POINTER))
    if not (folder / HOME).is_dir() and (folder != Path.cwd() or is_data):
        return folder
    found = nodes(folder)
    running = [node for node in found if is_running(node)] if len(found) > 1 else found
    if len(running) == 1:
        return running[0]
    if not found:
        raise MayStart("no node was found", where=str(folder))
    listed = ", ".join(f"{node.name}{' (running)' if node in running else ''}" for node in found)
    kind = NodeNotFound if running else MayStart
    raise kind(
        f"there are {len(found)} nodes: {listed}", where=str(folder / HOME), fix="Say which one with --node NAME."
    )


def may_start(directory: Path) -> bool:
    """Whether this can be the data directory of a node that starts: it is one already, or has nothing in it yet."""
    if directory.parent.name == HOME or (directory / IDENTITY).exists():
        return True
    try:
        return not any(path.name not in ("lock", "reserve") for path in directory.iterdir())
    except OSError:
        return False


def nodes(folder: Path) -> list[Path]:
    """The data directories of the nodes that are kept in a folder's ``.junctor``. What a dialect keeps beside them is
    none."""
    with contextlib.suppress(OSError):
        return sorted(path for path in (folder / HOME).iterdir() if path.is_dir() and not _is_other(path))
    return []


def _is_other(path: Path) -> bool:
    """Whether there is something in a folder, and nothing of a node."""
    from junctor.observe.logfile import FILE  # all that a node in memory leaves

    names = os.listdir(path) if os.access(path, os.R_OK) else []
    return bool(names) and not {IDENTITY, DATABASE, SOCKET, POINTER, LOCK, FILE} & set(names)


# The control socket -----------------------------------------------------------------------------------------


def socket_of(directory: Path) -> Path | None:
    """The control socket of the node in this directory; None when there is none, or it belongs to somebody else."""
    path = directory / SOCKET
    if not path.exists():
        elsewhere = _pointed_to(directory)
        if elsewhere is None:
            return None
        path = elsewhere
    try:
        # The temporary folder of a dead node may be gone, and its name taken by another user.
        return path if path.is_socket() and path.stat().st_uid in (os.geteuid(), directory.stat().st_uid) else None
    except OSError:
        return None


def _pointed_to(directory: Path) -> Path | None:
    try:
        return Path((directory / POINTER).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return None


def is_running(directory: Path) -> bool:
    """Whether a node listens on the control socket of this directory."""
    path = socket_of(directory)
    if path is None:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(CONNECT_PATIENCE)
        try:
            probe.connect(str(path))
        except OSError as error:
            # A full backlog answers with a time-out or EAGAIN: somebody is there.
            return isinstance(error, (TimeoutError, BlockingIOError))
    return True


def claim_socket(directory: Path) -> Path:
    """A path to listen on; what a dead node left is removed.

    :raises StoreLocked: a node runs in this directory.
    """
    if is_running(directory):
        raise StoreLocked("another node runs in this folder", where=str(directory))
    release_socket(directory)
    path = directory / SOCKET
    if len(os.fsencode(path)) <= SOCKET_PATH_LIMIT:
        return path
    import tempfile  # a start that needs no such folder does not pay for it

    path = Path(tempfile.mkdtemp(prefix="junctor-")) / SOCKET
    if len(os.fsencode(path)) > SOCKET_PATH_LIMIT:
        path.parent.rmdir()
        raise ConfigurationError(
            "the path of the control socket is too long",
            where=str(path),
            fix="Set TMPDIR to a folder with a short path, for example /tmp.",
        )
    pointer = directory / POINTER
    pointer.touch(mode=0o600)
    pointer.write_text(f"{path}\n", encoding="utf-8")
    return path


def release_socket(directory: Path) -> None:
    """Remove the control socket and what names it. Only for the node that owns the directory."""
    elsewhere = _pointed_to(directory)
    with contextlib.suppress(OSError):
        (directory / SOCKET).unlink(missing_ok=True)
        (directory / POINTER).unlink(missing_ok=True)
    if elsewhere is not None and elsewhere.name == SOCKET and elsewhere.parent.name.startswith("junctor-"):
        with contextlib.suppress(OSError):
            elsewhere.unlink(missing_ok=True)
            elsewhere.parent.rmdir()
