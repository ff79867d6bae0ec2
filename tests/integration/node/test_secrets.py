"""A secret setting does not show, whatever the code of the service and its libraries do with it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.integration.node.conftest import Junctor

SECRET = "correct-horse-battery"

SERVICE = """
from junctor.http.problem import HttpError
from junctor.settings import Secret
from junctor import Service, action, get, handler, setting
from junctor import RetryPolicy, Flow

class Vault(Service):
    password: str = setting(secret=True)
    token: Secret = setting(secret=True)

    @handler
    def on_text(self, text: str) -> None:
        self.log.warning("logging in with %s", self.password)
        print("printed", self.password)
        raise ConnectionError(f"https://me:{self.password}@host refused")

    @action
    async def login(self) -> None:
        try:
            raise KeyError(self.password)
        except KeyError as error:
            logging.getLogger("library").exception("with %r", self.token.reveal())
            raise ValueError(f"no entry for {self.password}") from error

    @get("/login")
    async def read_login(self) -> None:
        raise HttpError(f"no {self.password} here", status=400)

flow = Flow("vault").add(Vault, retry=RetryPolicy(attempts=1))
"""


def test_a_secret_shows_nowhere(junctor: Junctor) -> None:
    import urllib.error
    import urllib.request

    (junctor.folder / "vault.py").write_text(SERVICE)
    settings = ("--set", f"vault.password={SECRET}", "--set", "vault.token=another-good-token")
    node = junctor.start("vault.py", "--port", "0", *settings)
    said = [junctor.here("call", "vault", "login", code=1)]
    receipt = junctor.json("send", "vault", '"hello"')
    while not junctor.json("parked"):
        pass
    url = next(line.split()[1] for line in node.said.splitlines() if line.startswith("http "))
    for path in ("/login", "/vault/login"):
        try:
            urllib.request.urlopen(urllib.request.Request(url + path, method="POST" if "vault" in path else "GET"))
        except urllib.error.HTTPError as error:
            said.append(error.read().decode())
    trace = junctor.json("trace", receipt["id"])
    said += [json.dumps(trace), junctor.here("trace", receipt["id"])]
    said += [junctor.here(*words) for words in (["status"], ["parked"], ["alerts"], ["messages"], ["services"])]
    node.signal(signal.SIGINT)
    logged = node.ends(0)
    assert "logging in with ***" in logged
    assert "https://me:***@host" in json.dumps(trace)
    assert "logging in with ***" in json.dumps(trace)
    assert "printed ***" in json.dumps(trace)
    for text in (*said, "\n".join(line for line in logged.splitlines() if not line.startswith("printed"))):
        assert SECRET not in text
        assert "another-good-token" not in text
    for file in Path(junctor.folder / ".junctor").rglob("junctor.db*"):
        assert SECRET.encode() not in file.read_bytes()
