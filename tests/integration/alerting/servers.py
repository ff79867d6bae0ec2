"""Receivers of alerts as they are in life: web servers that answer, hang, drip and refuse, and a mail server."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import socket
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import trustme


class Hook(http.server.BaseHTTPRequestHandler):
    """Keeps what it is sent; answers as its server says."""

    server: WebServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((dict(self.headers), json.loads(body)))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", self.server.location)
        self.end_headers()
        if status >= 400:
            self.wfile.write(b"sorry:\x1b[31m no")

    def log_message(self, *_: Any) -> None: ...


class WebServer(http.server.ThreadingHTTPServer):
    """``taken``: headers and JSON of each request; ``answers``: the next status codes, then 204; ``location``: where
    redirects lead."""

    daemon_threads = True

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Hook)
        self.taken: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.answers: list[int] = []
        self.location = "http://elsewhere.example/secret"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://localhost:{self.server_port}/T0/s3cr3t-path"

    def handle_error(self, *_: Any) -> None:
        """Clients that do not trust the certificate hang up."""

    @property
    def notices(self) -> list[dict[str, Any]]:
        return [body for _, body in self.taken]

    def told(self) -> list[str]:
        """The states of the notices."""
        return [str(body["state"]) for body in self.notices]


@contextlib.contextmanager
def served(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Rude(socketserver.BaseRequestHandler):
    """Takes a connection, and says nothing; or a byte now and then, for ever."""

    drips: ClassVar[bytes] = b""

    def handle(self) -> None:
        self.request.settimeout(0.05)
        with contextlib.suppress(OSError):
            while not self.server.over:  # type: ignore[attr-defined]
                if self.drips:
                    self.request.sendall(self.drips)
                    time.sleep(0.02)
                else:
                    with contextlib.suppress(TimeoutError):
                        if not self.request.recv(4096):
                            return


class Dripping(Rude):
    drips = b"H"


class RudeServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, handler: type[Rude]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.over = False
        self.port = self.server_address[1]

    def server_close(self) -> None:
        self.over = True
        super().server_close()


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321 as a client that sends one mail needs."""

    server: MailServer

    def handle(self) -> None:
        self.secure = self.server.at_once is not None
        self.said: list[str] = []
        self._say("220 mail.example.com")
        with contextlib.suppress(OSError):
            while (line := self.rfile.readline()) and self._answer(line.decode().strip()):
                pass
        if self.connection is not self.request:
            self.connection.close()

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _answer(self, line: str) -> bool:
        word = line.partition(" ")[0].upper()
        self.said.append(line)
        if word == "EHLO":
            offers = ["AUTH PLAIN"] if self.secure else ["STARTTLS"] if self.server.starttls is not None else []
            lines = ["mail.example.com", *offers]
            for number, text in enumerate(lines, 1):
                self._say(f"250{' ' if number == len(lines) else '-'}{text}")
        elif word == "STARTTLS" and self.server.starttls is not None:
            self._say("220 go on")
            self._wrap(self.server.starttls)
        elif word == "AUTH":
            given = base64.b64decode(line.split()[2]).split(b"\0")
            self.server.logins.append((given[1].decode(), given[2].decode(), self.secure))
            self._say("235 welcome" if given[2] == b"hunter22" else "535 wrong")
        elif word == "DATA":
            self._say("354 end with .")
            self._take()
        elif word == "QUIT":
            self._say("221 bye")
            return False
        else:
            self._say("250 ok")
        return True

    def _wrap(self, context: ssl.SSLContext) -> None:
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.secure = True

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.decode())
        self.server.mails.append(("".join(lines), self.secure, self.said))
        self._say("250 taken")


class MailServer(socketserver.ThreadingTCPServer):
    """``mails``: text, whether it came in TLS, and the commands before it; ``logins``: user, password, TLS."""

    daemon_threads = True

    def __init__(self, starttls: ssl.SSLContext | None = None, at_once: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Smtp)
        self.starttls, self.at_once = starttls, at_once
        self.mails: list[tuple[str, bool, list[str]]] = []
        self.logins: list[tuple[str, str, bool]] = []
        if at_once is not None:
            self.socket = at_once.wrap_socket(self.socket, server_side=True)
        self.url = f"smtp{'s' if at_once else ''}://localhost:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """Clients that do not trust the certificate hang up."""


class Authority:
    """A private certificate authority: ``tls`` for a server called localhost, ``file`` for those who trust it."""

    def __init__(self, folder: Path, name: str = "localhost") -> None:
        own = trustme.CA()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        own.issue_cert(name).configure_cert(self.tls)
        self.file = str(folder / "ca.pem")
        own.cert_pem.write_to_path(self.file)


def refused_port() -> int:
    """A port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])
