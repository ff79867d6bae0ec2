"""Mosquitto with a configuration of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.servers import programs
from tests.servers.authority import Authority
from tests.servers.process import Server

LOG = ("log_dest stdout", "log_type all")


class Mosquitto(Server):
    """A broker of MQTT 5 and 3.1.1 in ``folder``.

    ``users``: name to password; without, everybody may come. ``host``: the one of its certificate, which makes it a TLS
    server of ``authority``; ``client_certificates``: clients need one of the same authority, and its common name is the
    user. ``persistence``: sessions and messages are kept over a restart. ``lines``: more of mosquitto.conf(5).
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        users: Mapping[str, str] | None = None,
        host: str = "",
        client_certificates: bool = False,
        persistence: bool = True,
        lines: Sequence[str] = (),
    ) -> None:
        self.folder, self.authority = folder, Authority(folder)
        config = [f"listener {port} 127.0.0.1", "set_tcp_nodelay true", *LOG, *lines]
        config += [f"allow_anonymous {str(not users and not client_certificates).lower()}"]
        config += [*self._users(users), *self._tls(host, client_certificates)]
        if persistence:
            config += ["persistence true", f"persistence_location {folder}/"]
        if os.geteuid() == 0:
            config.append("user root")  # it becomes another user otherwise, who may not read this folder
        file = folder / "mosquitto.conf"
        file.write_text("\n".join(config) + "\n")
        super().__init__([programs.MOSQUITTO.path(), "-c", str(file)], port, folder / "mosquitto.log")

    def _users(self, users: Mapping[str, str] | None) -> list[str]:
        if not users:
            return []
        file = self.folder / "passwords"
        file.write_text("".join(f"{name}:{password}\n" for name, password in users.items()))
        file.chmod(0o600)
        subprocess.run([programs.MOSQUITTO_PASSWD.path(), "-U", str(file)], check=True, capture_output=True)
        return [f"password_file {file}"]

    def _tls(self, host: str, client_certificates: bool) -> list[str]:
        if not host:
            return []
        certificate, key = self.authority.issue(host)
        lines = [f"certfile {certificate}", f"keyfile {key}"]
        if client_certificates:
            lines += [f"cafile {self.authority.ca}", "require_certificate true", "use_identity_as_username true"]
        return lines
