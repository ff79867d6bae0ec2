"""Who gets the token of a service, and where calls go."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from junctor.dialects.servicefactory.calls import ServiceNotReached, ask
from junctor.dialects.servicefactory.token import TOKEN_HEADER, make_token, read_token, token_file


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get(TOKEN_HEADER)))  # type: ignore[attr-defined]
        if self.path == "/leads":
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
        else:
            self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def test_only_shutdown_carries_the_token(server: Any) -> None:
    token = make_token(server.server_port)
    assert [ask(server.server_port, action).ok for action in ("status", "shutdown")] == [True, True]
    assert server.seen == [("/status", None), ("/shutdown", token)]


def test_nothing_is_sent_where_an_action_leads(server: Any) -> None:
    assert ask(server.server_port, "leads").status_code == 302
    assert [path for path, _ in server.seen] == ["/leads"]


def test_an_action_may_be_called_anything(server: Any) -> None:
    for action in ("grüße", "no such", "a\r\nb: c"):
        assert ask(server.server_port, action).ok
    assert [path for path, _ in server.seen] == ["/gr%C3%BC%C3%9Fe", "/no%20such", "/a%0D%0Ab%3A%20c"]


def test_what_is_no_http_is_no_service() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"what?\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ServiceNotReached):
            ask(listening.getsockname()[1], "status")
        thread.join()


def test_a_token_is_a_file_of_its_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    token = make_token(1234)
    place = token_file(1234)
    assert (read_token(1234), place.stat().st_mode & 0o777) == (token, 0o600)
    place.chmod(0o640)
    assert read_token(1234) == ""
    place.unlink()
    secret = tmp_path / "secret"
    secret.write_text("another secret")
    secret.chmod(0o600)
    place.symlink_to(secret)
    assert read_token(1234) == ""
    place.unlink()
    os.mkfifo(place, 0o600)
    assert read_token(1234) == ""


def test_a_service_that_a_flow_serves_elsewhere_is_called_there(server: Any) -> None:
    token = make_token(1234, f"http://127.0.0.1:{server.server_port}/test")
    assert [ask(1234, action).ok for action in ("status", "shutdown")] == [True, True]
    assert server.seen == [("/test/status", None), ("/test/shutdown", token)]
