"""Calls of uv: without a shell, with the arguments in a list, and as little of the environment as it needs."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from junctor.dialects.microservicebus.packages.errors import IndexAway, PackageError
from junctor.observe.secrets import mask

Stopping = Callable[[], bool]


def never() -> bool:
    """Nothing is given up."""
    return False


LIMIT = 3600.0
"""Seconds that an installation may take; what has to be compiled takes long on a small machine."""

_PASSED = frozenset(
    (
        "PATH HOME LANG LC_ALL TZ TMPDIR USER NETRC CC CXX CFLAGS CXXFLAGS LDFLAGS PKG_CONFIG_PATH "
        "SSL_CERT_FILE SSL_CERT_DIR ALL_PROXY HTTP_PROXY HTTPS_PROXY NO_PROXY XDG_CACHE_HOME XDG_CONFIG_HOME "
        "XDG_CONFIG_DIRS XDG_DATA_HOME"
    ).split()
)
"""Variables that it gets, in either case, beside its own. A package may be built by code of its authors, which has no
business with the others."""

_ARROWS = re.compile(r"^[\s×╰─▶├│]*(?:error:|cause:|Caused by:)?\s*")
_AWAY = re.compile(r"error sending request|HTTP status server error|429 Too Many|timed out|connection closed", re.I)
_FIXES = (
    (re.compile("certificate"), "Give uv the authority that signed it: SSL_CERT_FILE, or UV_SYSTEM_CERTS=true."),
    (re.compile("authentication"), "Give uv the credentials of the index: UV_DEFAULT_INDEX, or ~/.netrc."),
    (re.compile("hash", re.I), "Write the lock file anew with `uv pip compile --generate-hashes`, if this is meant."),
    (re.compile("was not found"), "Check the name of the package, and the index that uv asks (UV_DEFAULT_INDEX)."),
    (re.compile("No space left"), "Make room on the disk."),
    (re.compile("No solution"), "Change the versions that are wanted, or those that are installed beside Junctor."),
)

_PAUSE = 0.2
"""Seconds between two looks at whether to give it up."""

_LONGEST = 600
"""Characters of a reason."""


def program() -> str:
    """Where uv is: beside the Python that runs, else on the path.

    :raises PackageError: it is not installed.
    """
    beside = Path(sys.executable).parent / "uv"
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which("uv")
    if found is None:
        raise PackageError("uv is not installed", where="AddPipPackage", fix="Install it: pip install uv.")
    return found


def install(
    wanted: str,
    target: Path,
    constraints: Iterable[Path],
    *,
    hashes: bool,
    keep: Sequence[int] = (),
    stopping: Stopping = never,
) -> None:
    """Install a package, with what it needs, into a folder.

    :param hashes: each file must have a hash of the constraints.
    :param keep: descriptors that it holds open as long as it lives.
    :param stopping: whether to give it up; asked from time to time.
    :raises PackageError: it fails; the text is its reason.
    """
    options = ["--quiet", "--target", str(target)]
    options += ["--require-hashes"] if hashes else []
    for file in constraints:
        options += ["--constraints", str(file)]
    code, told = _run([*options, "--", wanted], target.parent, _environment(), keep, stopping)
    if code:
        raise failure(told, code)


@functools.lru_cache(maxsize=256)
def satisfies(place: Path, version: str, wanted: str) -> bool:
    """Whether what lies in a folder is one of the versions that are wanted. Nothing is fetched.

    :param version: the one that lies there; an answer is good as long as it does.
    """
    options = ["--quiet", "--dry-run", "--offline", "--no-index", "--no-config", "--no-deps", "--target", str(place)]
    code, _ = _run([*options, "--", wanted], place, _without_sources())
    return code == 0


def _run(
    arguments: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    keep: Sequence[int] = (),
    stopping: Stopping = never,
) -> tuple[int, str]:
    """Its exit code, and what it has written to standard error."""
    command = [program(), "--no-progress", "--color", "never", "--no-python-downloads", "pip", "install"]
    command += ["--python", sys.executable, *arguments]
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=keep,
        )
    except OSError as error:
        what, fix = f"uv cannot be run: {error.strerror}", "Install it: pip install uv."
        raise PackageError(what, where=command[0], fix=fix) from error
    with process:
        return _ended(process, stopping)


def _ended(process: subprocess.Popen[str], stopping: Stopping) -> tuple[int, str]:
    end = time.monotonic() + LIMIT
    try:
        while True:
            try:
                _, told = process.communicate(timeout=_PAUSE)
                return process.returncode, told
            except subprocess.TimeoutExpired:
                if stopping():
                    raise given_up() from None
                if time.monotonic() >= end:
                    what = f"it takes longer than {LIMIT:.0f} s"
                    raise PackageError(what, fix="Install it beside Junctor.") from None
    finally:
        if process.poll() is None:
            process.kill()


def given_up() -> PackageError:
    """The service stops before it is there."""
    return PackageError("it was given up, since the service stops", fix="Start the service again.")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("UV_") or name.upper() in _PASSED}


def _without_sources() -> dict[str, str]:
    """So that nothing but what is installed can be the answer."""
    return {name: value for name, value in _environment().items() if not name.startswith("UV_")}


def reason(text: str) -> str:
    """What uv says is wrong, in one line, without its drawing and its hints."""
    parts = []
    for line in text.splitlines():
        if line.lstrip().startswith(("hint:", "warning:", "help:")):
            break
        parts += [part] if (part := _ARROWS.sub("", line).strip()) else []
    told = mask(" ".join(parts))
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."


def failure(text: str, code: int) -> PackageError:
    """What an end of uv means, by what it has written."""
    why = reason(text) or f"uv ended with exit code {code}"
    if _AWAY.search(text) and "certificate" not in text:
        return IndexAway(why)
    fix = next((fix for mark, fix in _FIXES if mark.search(text)), "Change what is wanted, or install it with pip.")
    return PackageError(why, fix=fix)
