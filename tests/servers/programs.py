"""The programs of this machine that tests start: where they are, and which package has them."""

from __future__ import annotations

import glob
import os
import shutil
from dataclasses import dataclass
from typing import NoReturn

# Debian keeps servers outside the PATH of users, and those of PostgreSQL outside every PATH.
PLACES = ("/usr/local/bin", "/usr/local/sbin", "/usr/sbin", "/usr/lib/postgresql/*/bin")


@dataclass(frozen=True)
class Program:
    """``names``: what it may be called; ``package``: what it is in on Debian and Ubuntu."""

    names: tuple[str, ...]
    package: str

    def found(self) -> str | None:
        """Its path, or None. Of several versions the newest."""
        folders = [folder for place in PLACES for folder in sorted(glob.glob(place), key=_version, reverse=True)]
        path = os.pathsep.join([os.environ.get("PATH", os.defpath), *folders])
        return next((os.path.realpath(at) for name in self.names if (at := shutil.which(name, path=path))), None)

    def path(self) -> str:
        """Its path. A test whose server is missing fails: what nobody has tried is not tested."""
        return self.found() or self._fail()

    def _fail(self) -> NoReturn:
        import pytest

        told = f"this test needs {self.names[0]}; on Debian and Ubuntu: apt-get install {self.package}"
        pytest.fail(told, pytrace=False)


def _version(folder: str) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.split("/") if part.isdecimal())


MOSQUITTO = Program(("mosquitto",), "mosquitto")
MOSQUITTO_PASSWD = Program(("mosquitto_passwd",), "mosquitto")
POSTGRES = Program(("postgres",), "postgresql")
INITDB = Program(("initdb",), "postgresql")
CHROMIUM = Program(("chromium", "google-chrome"), "chromium")
ALL = (MOSQUITTO, MOSQUITTO_PASSWD, POSTGRES, INITDB, CHROMIUM)
