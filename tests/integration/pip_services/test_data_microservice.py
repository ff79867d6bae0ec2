"""A data microservice of Pip.Services as a process: parameters, commands, a file that outlives it, a client."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

PATIENCE = 30.0
ROOT = Path(__file__).resolve().parents[3]
CLIENT = """
import json, sys
from pip_services3_commons.config import ConfigParams
from pip_services3_commons.data import FilterParams, PagingParams
from shelf import Book, BooksHttpClient
client = BooksHttpClient()
client.configure(ConfigParams.from_tuples("connection.protocol", "http", "connection.host", "localhost",
                                          "connection.port", int(sys.argv[1])))
client.open(None)
client.create_book("c", Book("b", "Persuasion", 249))
try:
    client.create_book("c", Book("b", "Persuasion", 249))
except Exception as error:
    print(error.code, error.status)
print(json.dumps(client.get_books("c", FilterParams.from_tuples("title", "s"), PagingParams(0, 9, True))))
print(client.get_book("c", "none"))
client.close(None)
"""


class Shelf:
    """The microservice, started again and again in one folder."""

    def __init__(self, folder: Path) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        paths = [str(ROOT / "src"), str(ROOT / "compat" / "pip_services3" / "src"), os.environ.get("PYTHONPATH", "")]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}

    def start(self, parameters: str, **variables: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "shelf.py", "-p", f"HTTP_PORT={self.port};{parameters}"]
        out = (self.folder / "out.txt").open("w")
        with out:
            process = subprocess.Popen(
                command, cwd=self.folder, stdout=out, stderr=out, env={**self.environment, **variables}
            )
        self._started.append(process)
        end = time.monotonic() + PATIENCE
        while "Container shelf started." not in self.printed():
            assert time.monotonic() < end and process.poll() is None, self.printed()
            time.sleep(0.02)
        return process

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()

    def printed(self) -> str:
        return (self.folder / "out.txt").read_text()

    def post(self, command: str, **arguments: Any) -> Any:
        status, body = self.ask(f"/v1/books/{command}", json.dumps(arguments).encode())
        assert status == 200, body
        return json.loads(body)

    def ask(self, path: str, data: bytes | None = None) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    shutil.copytree(Path(__file__).parent / "shelf", tmp_path / "shelf", ignore=shutil.ignore_patterns("__pycache__"))
    made = Shelf(tmp_path / "shelf")
    yield made
    made.close()


def test_books_are_there_after_kill_9(shelf: Shelf) -> None:
    process = shelf.start("FILE_ENABLED=true")
    titles = ["Emma", "Persuasion", "Lady Susan", "Sanditon"]
    made = [shelf.post("create_book", book={"title": title, "pages": 1}) for title in titles]
    process.send_signal(signal.SIGKILL)
    process.wait()
    process = shelf.start("FILE_ENABLED=true")
    page = shelf.post("get_books", paging={"total": True})
    assert [book["title"] for book in page["data"]] == ["Emma", "Lady Susan", "Persuasion"]  # three a page
    assert page["total"] == 4
    assert shelf.post("get_books", filter={"title": "Sand"})["data"] == [made[3]]
    assert shelf.post("delete_book_by_id", book_id=made[0]["id"]) == made[0]
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    assert {book["title"] for book in json.loads((shelf.folder / "data" / "books.json").read_text())} == {*titles[1:]}


def test_its_client_its_errors_and_its_document(shelf: Shelf) -> None:
    shelf.start("LOG_LEVEL=trace", MEMORY_ENABLED="true")
    command = [sys.executable, "-c", CLIENT, str(shelf.port)]
    done = subprocess.run(
        command, cwd=shelf.folder, capture_output=True, text=True, timeout=PATIENCE, env=shelf.environment
    )
    conflict, page, none = done.stdout.splitlines()
    assert (conflict, none) == ("ID_EXISTS 409", "None")
    assert json.loads(page) == {"total": 1, "data": [{"id": "b", "title": "Persuasion", "pages": 249}]}
    status, wrong = shelf.ask("/v1/books/create_book", b'{"book": {"pages": "x"}}')
    assert (status, json.loads(wrong)["code"]) == (400, "INVALID_DATA")
    assert "book.pages type must be integer but found string" in wrong
    assert shelf.ask("/v1/books/create_book", b'{"book": ')[0] == 400
    document = yaml.safe_load(shelf.ask("/v1/books/swagger")[1])
    assert set(document["paths"]) == {
        f"/v1/books/{name}" for name in ("get_books", "get_book_by_id", "create_book", "delete_book_by_id")
    }
    assert "shelf:persistence:memory:default:1.0" in json.loads(shelf.ask("/status")[1])["components"]
    assert not (shelf.folder / "data").exists()
