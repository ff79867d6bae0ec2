"""Forms and files: what reaches the function, what is refused, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from junctor.http import Cookie, Form, Response, Upload, file, set_cookie
from junctor.http.requests import uploads as uploading
from junctor.http.requests.binding import plan_action, plan_route
from junctor.http.settings import HttpSettings
from tests.integration.http.client import Answer, call, raw
from tests.integration.http.small_host import SmallHost, route

MIB = 1024 * 1024


@dataclass
class Login:
    user: str
    age: Annotated[int, msgspec.Meta(ge=0)] = 0
    tags: list[str] = field(default_factory=list)


class Desk:
    def __init__(self) -> None:
        self.seen: list[Upload] = []

    @route("POST", "/fields")
    async def fields(
        self, user: Annotated[str, Form()], age: Annotated[int, Form("years")] = 1, ok: Annotated[bool, Form] = False
    ) -> Any:
        return [user, age, ok]

    @route("POST", "/login")
    async def login(self, login: Annotated[Login, Form()]) -> Login:
        return login

    @route("POST", "/one")
    async def one(
        self, document: Upload, note: Annotated[str, Form()] = "", login: Login | None = None, page: int = 1
    ) -> Any:
        self.seen.append(document)
        begin = await document.read(3)
        rest = await document.read()
        return [document.filename, document.content_type, document.size, begin.decode(), len(rest), note, login, page]

    @route("POST", "/sync")
    def sync(self, documents: list[Upload], extra: Upload | None = None) -> Any:
        self.seen += documents
        assert extra is None or extra.file.readable()
        return [[one.filename, len(one.read_sync(2)), len(one.file.read()), one.in_memory] for one in documents]

    @route("POST", "/lines")
    async def lines(self, document: Upload) -> AsyncIterator[str]:
        self.seen.append(document)
        while piece := await document.read(1000):
            yield f"{len(piece)} "
            await asyncio.sleep(0)

    @route("POST", "/fails")
    async def fails(self, document: Upload) -> None:
        self.seen.append(document)
        raise RuntimeError("no")

    @route("GET", "/cookie")
    async def cookie(self, sid: Annotated[str, Cookie()], visits: Annotated[int, Cookie("n")] = 0) -> Response:
        return Response(f"{sid} {visits}", headers=[set_cookie("n", str(visits + 1), max_age=60)])

    @route("GET", "/file/{name}")
    async def file(self, name: str, save: str = "") -> Any:
        return file(Path(os.environ["DESK"]) / name, save)


def form(*parts: tuple[Any, ...], boundary: str = "xx") -> bytes:
    """A multipart body of (name, data), (name, data, filename) or (name, data, filename, content type)."""
    made = b""
    for name, data, *about in parts:
        made += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'.encode()
        made += f'; filename="{about[0]}"'.encode() if about else b""
        made += f"\r\nContent-Type: {about[1]}".encode() if len(about) > 1 else b""
        made += b"\r\n\r\n" + data + b"\r\n"
    return made + f"--{boundary}--\r\n".encode()


async def post(port: int, path: str, body: bytes, kind: str = "multipart/form-data; boundary=xx") -> Answer:
    return await call(port, "POST", path, body, {"content-type": kind})


URL = "application/x-www-form-urlencoded"


async def test_fields_of_both_kinds_of_form(serve: Any) -> None:
    async with serve(SmallHost(Desk())) as listener:
        port = listener.port
        assert (await post(port, "/fields", b"user=g%C3%BCn+t&years=7&ok=true", URL)).json == ["gün t", 7, True]
        assert (await post(port, "/fields", form(("user", "gün".encode()), ("years", b"7")))).json == ["gün", 7, False]
        answer = await post(port, "/fields", b"years=x&ok=maybe", URL)
        assert (answer.status, answer.code) == (422, "parameter")
        assert [(one["in"], one["parameter"], one["reason"]) for one in answer.json["errors"]] == [
            ("form", "user", "is missing"),
            ("form", "years", "expected int, got 'x'"),
            ("form", "ok", "expected bool, got 'maybe'"),
        ]
        assert (await post(port, "/fields", form(("user", b"a"), ("user", b"b")))).status == 422
        assert (await post(port, "/fields", form(("user", b"a", "file.txt")))).status == 422
        for body in (b"user=%ff", b"user=%zz", b"&".join([b"a=1"] * 1001)):
            assert (await post(port, "/fields", body, URL)).code == "form"


async def test_a_class_takes_the_fields_of_a_form(serve: Any) -> None:
    async with serve(SmallHost(Desk())) as listener:
        answer = await post(listener.port, "/login", b"user=eva&age=7&tags=a&tags=b&other=1", URL)
        assert answer.json == {"user": "eva", "age": 7, "tags": ["a", "b"]}
        answer = await post(listener.port, "/login", b"user=eva&age=-7", URL)
        assert (answer.status, answer.json["errors"][0]["parameter"]) == (422, "age")


async def test_a_file_with_fields_and_json_beside_it(serve: Any) -> None:
    async with serve(SmallHost(Desk())) as listener:
        body = form(
            ("document", b"hello", "../../grün.txt", "text/plain"),
            ("note", b"hi"),
            ("login", b'{"user":"eva","age":7}'),
            ("unknown", b"1"),
        )
        answer = await post(listener.port, "/one?page=3", body)
        expected = ["../../grün.txt", "text/plain", 5, "hel", 2, "hi", {"user": "eva", "age": 7, "tags": []}, 3]
        assert answer.json == expected
        answer = await post(listener.port, "/one", form(("document", b"x", "a"), ("login", b"{")))
        assert (answer.status, answer.json["errors"][0]["parameter"]) == (422, "login")
        answer = await post(listener.port, "/one", form(("document", b"x", "a"), ("login", b"[" * 500 + b"]" * 500)))
        assert (answer.status, answer.code) == (400, "json")
        assert (await post(listener.port, "/one", form(("document", b"text")))).status == 422
        assert (await post(listener.port, "/one", form(("note", b"text")))).status == 422
        assert (await post(listener.port, "/one", form(("document", b"", "")))).status == 422


async def test_several_files_of_any_size_in_a_plain_function(serve: Any) -> None:
    desk = Desk()
    async with serve(SmallHost(desk)) as listener:
        large = random.Random(1).randbytes(3 * MIB)
        files = [("documents", b"abc", "a"), ("documents", large, "b"), ("documents", b"", "c")]
        answer = await post(listener.port, "/sync", form(*files, ("extra", b"x", "d")))
        assert answer.json == [["a", 2, 1, True], ["b", 2, 3 * MIB - 2, False], ["c", 0, 0, True]]
        assert all(one.file.closed for one in desk.seen)


async def test_a_stream_may_read_its_file_to_the_end(serve: Any) -> None:
    desk = Desk()
    async with serve(SmallHost(desk)) as listener:
        body = form(("document", b"x" * 2500, "a"))
        head = "POST /lines HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=xx\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        text = await reader.read()
        writer.close()
        assert b"1000 " in text and b"500 " in text and text.endswith(b"0\r\n\r\n")
        assert desk.seen[0].file.closed


@pytest.mark.parametrize(
    ("path", "kind", "expected"),
    [
        ("/fields", "application/json", "application/x-www-form-urlencoded or multipart/form-data"),
        ("/one", URL, "multipart/form-data"),
        ("/one", "text/plain", "multipart/form-data"),
    ],
)
async def test_another_content_type_is_415_with_what_is_expected(
    serve: Any, path: str, kind: str, expected: str
) -> None:
    async with serve(SmallHost(Desk())) as listener:
        answer = await post(listener.port, path, b"user=1", kind)
        assert (answer.status, answer.code) == (415, "content-type")
        assert f"Content-Type: {expected}." in answer.json["fix"]


WHOLE = form(("note", b"hi"), ("document", b"hello" * 10, "a", "text/plain"))


@pytest.mark.parametrize("cut", range(1, len(WHOLE) - 4, 7))
async def test_a_form_that_is_not_complete_is_400(serve: Any, cut: int) -> None:
    desk = Desk()
    async with serve(SmallHost(desk)) as listener:
        answer = await post(listener.port, "/one", WHOLE[:cut])
        assert (answer.status, answer.code) == (400, "form")
    assert not desk.seen


@pytest.mark.parametrize(
    "body",
    [
        b"--xx\r\nContent-Disposition: attachment; name=note\r\n\r\nx\r\n--xx--\r\n",
        b"--xx\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xx--\r\n",
        b"--xx\r\n\r\nx\r\n--xx--\r\n",
        b"--yy\r\n\r\nx\r\n--yy--\r\n",
        form(("note", b"\xff")),
        form(*[("note", b"")] * 1001),
        b"--xx\r\n" + b"A: b\r\n" * 100 + b"\r\nx\r\n--xx--\r\n",
        b"--xx\r\nA: " + b"b" * 10000 + b"\r\n\r\nx\r\n--xx--\r\n",
    ],
)
async def test_what_is_malformed_or_too_much_is_400(serve: Any, body: bytes) -> None:
    async with serve(SmallHost(Desk())) as listener:
        answer = await post(listener.port, "/one", body)
        assert (answer.status, answer.code) == (400, "form")
        for boundary in ("", "; boundary=", f"; boundary={'x' * 71}"):
            assert (await post(listener.port, "/one", body, f"multipart/form-data{boundary}")).code == "form"


async def test_the_limits(serve: Any) -> None:
    settings = HttpSettings(body=1000, upload=5000)
    async with serve(SmallHost(Desk()), settings=settings) as listener:
        assert (await post(listener.port, "/one", form(("document", b"x" * 4000, "a")))).status == 200
        answer = await post(listener.port, "/one", form(("document", b"x" * 5000, "a")))
        assert (answer.status, answer.code) == (413, "body-too-large") and "5000" in answer.json["detail"]
        answer = await post(listener.port, "/one", form(("note", b"x" * 1001), ("document", b"x", "a")))
        assert (answer.status, answer.code) == (413, "body-too-large") and "1000" in answer.json["detail"]
        assert (await post(listener.port, "/fields", b"user=" + b"x" * 1000, URL)).status == 413
        chunked = b"host: localhost\r\ncontent-type: multipart/form-data; boundary=xx\r\ntransfer-encoding: chunked"
        piece = b"%x\r\n%b\r\n" % (4000, b"--xx\r\n".ljust(4000, b"x"))
        answer = await raw(listener.port, b"POST /one HTTP/1.1\r\n" + chunked + b"\r\n\r\n" + piece * 2)
        assert answer.status in (400, 413)


@pytest.fixture
def spool(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for temporary files, and a small measure of what stays in memory."""
    monkeypatch.setattr("tempfile.tempdir", str(short_dir))
    monkeypatch.setattr(uploading, "IN_MEMORY", 1000)
    yield short_dir


def open_files(place: Path) -> int:
    links = [os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd") if _is_open(one)]
    return sum(str(place) in link for link in links)


def _is_open(one: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{one}")


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files through /proc")
async def test_nothing_is_left_behind(serve: Any, spool: Path, caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    async with serve(SmallHost(desk)) as listener:
        port, good = listener.port, form(("document", b"x" * 9000, "a"))
        assert (await post(port, "/one", good)).status == 200
        assert (await post(port, "/fails", good)).status == 500
        assert (await post(port, "/one", good[:-10])).status == 400
        assert (await post(port, "/one", form(("document", b"x" * 9000, "a"), ("login", b"{")))).status == 422
        reader, writer = await asyncio.open_connection("127.0.0.1", port)  # a client that goes away in the middle
        writer.write(b"POST /one HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=xx\r\n")
        writer.write(b"content-length: %d\r\n\r\n" % len(good) + good[:5000])
        await writer.drain()
        while not open_files(spool):
            await asyncio.sleep(0.01)
        writer.close()
        while open_files(spool):
            await asyncio.sleep(0.01)
    assert not any(one.in_memory for one in desk.seen) and all(one.file.closed for one in desk.seen)
    assert list(spool.iterdir()) == []


async def test_a_full_disk_is_told(serve: Any, spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **options: open("/dev/full", "w+b", buffering=0))
    async with serve(SmallHost(Desk())) as listener:
        answer = await post(listener.port, "/one", form(("document", b"x" * 9000, "a")))
        assert (answer.status, answer.code) == (507, "upload-space")


async def test_cookies(serve: Any) -> None:
    async with serve(SmallHost(Desk())) as listener:
        answer = await call(listener.port, "GET", "/cookie", headers={"cookie": 'other=1; sid="a b"; n=4'})
        assert answer.body == b"a b 4"
        assert answer.headers["set-cookie"] == "n=5; Path=/; SameSite=Lax; Max-Age=60; HttpOnly"
        answer = await call(listener.port, "GET", "/cookie", headers={"cookie": "n=x"})
        assert [one["parameter"] for one in answer.json["errors"]] == ["sid", "n"]
    for name, value in [("a b", "1"), ("", "1"), ("a", "1;2"), ("a", "1\r\n"), ("a", '"')]:
        with pytest.raises(ValueError, match="cookie"):
            set_cookie(name, value)


async def test_files_as_answers(serve: Any, short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK", str(short_dir))
    data = bytes(range(256)) * 1000
    (short_dir / "a.bin").write_bytes(data)
    (short_dir / "empty.txt").write_bytes(b"")
    async with serve(SmallHost(Desk())) as listener:

        async def ask(name: str, method: str = "GET", **headers: str) -> Answer:
            sent = {key.replace("_", "-"): value for key, value in headers.items()}
            return await call(listener.port, method, f"/file/{name}", headers=sent)

        got = await ask("a.bin")
        assert (got.status, got.body, got.headers["accept-ranges"]) == (200, data, "bytes")
        tag, date = got.headers["etag"], got.headers["last-modified"]
        assert (await ask("a.bin", if_none_match=f'"z", W/{tag}')).status == 304
        assert (await ask("a.bin", if_modified_since=date)).status == 304
        assert (await ask("a.bin", if_modified_since="yesterday")).status == 200
        part = await ask("a.bin", range="bytes=10-19")
        assert (part.status, part.body, part.headers["content-range"]) == (206, data[10:20], "bytes 10-19/256000")
        assert (await ask("a.bin", range="bytes=-5")).body == data[-5:]
        assert (await ask("a.bin", range="bytes=255990-")).body == data[-10:]
        assert (await ask("a.bin", range="bytes=0-9", if_range=tag)).status == 206
        assert (await ask("a.bin", range="bytes=0-9", if_range='"old"')).status == 200
        assert (await ask("a.bin", range="bytes=0-1,4-5")).status == 200
        outside = await ask("a.bin", range="bytes=256000-")
        assert (outside.status, outside.code, outside.headers["content-range"]) == (416, "range", "bytes */256000")
        assert (await ask("empty.txt")).body == b""
        assert (await ask("empty.txt", range="bytes=-1")).status == 416
        head = await ask("a.bin", "HEAD")
        assert (head.status, head.headers["content-length"]) == (200, "256000")
        assert (await ask("missing")).code == "not-found"
        saved = await ask("a.bin?save=gr%C3%BCn%20%22a%22.bin")
        assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''gr%C3%BCn%20%22a%22.bin"


def test_what_cannot_be_a_form_is_refused_at_the_start() -> None:
    def both(data: bytes, document: Upload) -> None: ...

    def one(document: Upload) -> None: ...

    with pytest.raises(Exception, match="either as bytes or as typed"):
        plan_route(both, "/x", "POST", "here")
    with pytest.raises(Exception, match="which a GET request has not"):
        plan_route(one, "/x", "GET", "here")
    with pytest.raises(Exception, match="an action takes JSON, no file"):
        plan_action(one, "here")
