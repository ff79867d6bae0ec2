"""The token that ends a service over HTTP, and where a node serves its actions. Only its user can read that."""

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


def make_token(port: int, url: str = "") -> str:
    """A new token for the service on this port, in its file of mode 0600.

    :param url: where its actions are, when a flow serves them elsewhere.
    :raises OSError: it cannot be written.
    """
    path, token = token_file(port), secrets.token_urlsafe(24)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{token}\n{url}\n")
    fresh.replace(path)
    return token


def remove_token(port: int, token: str) -> None:
    """Remove the file, where it still holds this token."""
    if read_token(port) == token:
        with contextlib.suppress(OSError):
            token_file(port).unlink()


def read_token(port: int) -> str:
    """The token of the service on this port; empty where there is none, or where others could have written it."""
    return _lines(port)[0]


def read_url(port: int) -> str:
    """Where the actions of the service are that was written for this port; empty where that says nothing else."""
    return _lines(port)[1]


def _lines(port: int) -> tuple[str, str]:
    try:
        # Neither a link to another secret of the user, nor a pipe that waits for a writer.
        with open(os.open(token_file(port), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)) as file:
            found = os.fstat(file.fileno())
            own = found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077
            text = file.read(2000) if own and stat.S_ISREG(found.st_mode) else ""
    except (OSError, ValueError):
        return "", ""
    token, _, rest = text.partition("\n")
    return token.strip(), rest.strip()


def is_token(given: str, token: str) -> bool:
    """Whether it is the token; compared in the same time whatever differs."""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())
