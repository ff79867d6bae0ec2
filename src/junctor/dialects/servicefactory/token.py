"""The token that ends a service over HTTP. Only its user can read it."""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import stat
from pathlib import Path

TOKEN_HEADER = "X-Service-Token"


def token_file(port: int) -> Path:
    """Where the token of the service on this port stands: ``~/.local/state/junctor/servicefactory/PORT``, below
    ``$XDG_STATE_HOME`` where that is set."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "junctor" / "servicefactory" / str(port)


def make_token(port: int) -> str:
    """A new token for the service on this port, in its file of mode 0600.

    :raises OSError: it cannot be written.
    """
    path, token = token_file(port), secrets.token_urlsafe(24)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    fresh.replace(path)
    return token


def remove_token(port: int, token: str) -> None:
    """Remove the file, where it still holds this token."""
    if read_token(port) == token:
        with contextlib.suppress(OSError):
            token_file(port).unlink()


def read_token(port: int) -> str:
    """The token of the service on this port; empty where there is none, or where others could have written it."""
    try:
        # Neither a link to another secret of the user, nor a pipe that waits for a writer.
        with open(os.open(token_file(port), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            found = os.fstat(file.fileno())
            own = found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077
            return file.read(200).strip() if own and stat.S_ISREG(found.st_mode) else ""
    except (OSError, ValueError):
        return ""


def is_token(given: str, token: str) -> bool:
    """Whether it is the token; compared in the same time whatever differs."""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())
