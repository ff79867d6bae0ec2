"""PostgreSQL in a folder of its own: one server a process of the tests, one database a test."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.servers import programs
from tests.servers.authority import Authority
from tests.servers.process import Server

# Root may not run it; Debian's package makes this user.
USER = "postgres"
# What a test writes needs to survive a crash of the server, not one of the machine.
FAST = ("fsync=off", "full_page_writes=off", "max_connections=60", "shared_buffers=16MB")
# The owner comes without a password, everybody else with one.
ACCESS = f"host all {USER} 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"


class PostgreSQL(Server):
    """The server. It takes TLS too, with a certificate for localhost: 127.0.0.1 is another host to it."""

    def __init__(self, port: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="jn-pg-", dir="/tmp"))
        self.authority = Authority(self.folder)
        certificate, key = self.authority.issue("localhost")
        settings = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", *FAST]
        settings += ["ssl=on", f"ssl_cert_file={certificate}", f"ssl_key_file={key}"]
        _give_to_user(self.folder)
        data = self.folder / "data"
        command = [programs.POSTGRES.path(), "-D", str(data), *(word for one in settings for word in ("-c", one))]
        super().__init__(command, port, self.folder / "postgresql.log", USER)
        _initialize(data)

    def _answers(self) -> bool:
        """It takes connections before it takes orders."""
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.execute("SELECT 1"))
        return False

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections are cut, all is written (``fast``). SIGQUIT: a crash (``immediate``)."""
        super().stop(sign)

    def stop_immediately(self) -> None:
        """A crash: what was not committed is gone, what was is found in the log at the next start."""
        self.stop(signal.SIGQUIT)

    def restart(self, sign: signal.Signals = signal.SIGINT) -> None:
        super().restart(sign)

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement: str, database: str = USER) -> list[tuple[Any, ...]]:
        """Runs one statement as the owner, committed at once; the rows, where it has some."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"


@dataclass(frozen=True)
class Database:
    """An empty database of one test."""

    server: PostgreSQL
    name: str

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """As in :meth:`PostgreSQL.execute`."""
        return self.server.execute(statement, self.name)


def _give_to_user(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    owner = pwd.getpwnam(USER)
    for path in (folder, *folder.iterdir()):
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _initialize(data: Path) -> None:
    options = ["--no-sync", "--auth", "trust", "--username", USER, "--encoding", "UTF8", "--locale", "C"]
    become = [shutil.which("setpriv") or "setpriv", "--reuid", USER, "--regid", USER, "--init-groups", "--"]
    before = become if os.geteuid() == 0 else []
    command = [*before, programs.INITDB.path(), "-D", str(data), *options]
    subprocess.run(command, check=True, capture_output=True, cwd="/")
    (data / "pg_hba.conf").write_text(ACCESS)
