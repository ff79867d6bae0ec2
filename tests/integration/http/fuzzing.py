"""Generated requests against a running node, and what its OpenAPI document promises about the answers.

Half of the requests come from schemathesis, which reads the document; the other half are hostile by hand: what no
client library would send, over bare sockets.
"""

from __future__ import annotations

import json
import random
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import hypothesis
import jsonschema_rs
import requests
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis import GenerationMode


class Promises:
    """What a document says about the answers of each operation.

    Schemas are checked here and not by schemathesis, which rewrites those of tuples into a form of older drafts.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._validators: dict[str, Any] = {}

    def check(self, path: str, method: str, status: int, media_type: str, body: bytes) -> None:
        """:raises AssertionError: the answer is a 5xx, or not what the document says."""
        answers = self._document["paths"][path][method]["responses"]
        said = answers.get(str(status)) or answers.get(f"{status // 100}XX") or answers["default"]
        if "$ref" in said:
            said = self._document["components"]["responses"][said["$ref"].rpartition("/")[2]]
        assert status < 500, (status, method, path, body[:500])
        assert status < 400 or media_type == "application/problem+json", (status, media_type, method, path)
        content = said.get("content", {})
        if not content:
            assert not body, (status, method, path, body[:200])
            return
        kind = media_type.partition(";")[0]
        assert kind in content or "*/*" in content or not body, (status, media_type, list(content), method, path)
        self._fits(content.get(kind, {}), kind, body)

    def _fits(self, content: dict[str, Any], kind: str, body: bytes) -> None:
        if kind.endswith("json") and "schema" in content and "x-item" not in content:
            self._validator(content["schema"]).validate(json.loads(body))
        for line in body.decode().splitlines() if "x-item" in content else ():
            if kind == "application/x-ndjson" or line.startswith("data:"):
                self._validator(content["x-item"]).validate(json.loads(line.removeprefix("data:")))

    def _validator(self, schema: dict[str, Any]) -> Any:
        key = json.dumps(schema)
        if key not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[key] = jsonschema_rs.Draft202012Validator(whole)
        return self._validators[key]


def generated(url: str, document: dict[str, Any], count: int, seed: int) -> Counter[int]:
    """Send about ``count`` requests that schemathesis makes, right and wrong ones; the statuses of the answers.

    :raises AssertionError: an answer is a 5xx, or not what the document says.
    """
    schema = schemathesis.openapi.from_dict(document)
    operations = [found.ok() for found in schema.get_all_operations()]
    statuses: Counter[int] = Counter()
    promises = Promises(document)
    each = max(1, count // (2 * len(operations)))
    with requests.Session() as session:
        for number, operation in enumerate(operations):
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                _send(operation, mode, url, session, promises, statuses, each, seed + number)
    return statuses


def _send(
    operation: Any,
    mode: Any,
    url: str,
    session: Any,
    promises: Promises,
    statuses: Counter[int],
    count: int,
    seed: int,
) -> None:
    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        answer = case.call(base_url=url, session=session, timeout=20)
        statuses[answer.status_code] += 1
        kind = answer.headers.get("content-type", [""])[0]
        promises.check(operation.path, operation.method.lower(), answer.status_code, kind, answer.content)

    try:
        one()
    except hypothesis.errors.Unsatisfiable:
        return  # nothing can be wrong about a request without parameters


# By hand --------------------------------------------------------------------------------------------------------

NUMBERS = [
    "1e400", "-1e400", "1" + "0" * 5000, "NaN", "Infinity", "-0", "0x10", "1_000", "1e-400", "٣", "", " 1", "1.0",
]  # fmt: skip
TEXTS = [
    "%00", "%ff", "%C3%28", "%ED%A0%80", "%F0%9F%92%A9", "%", "%zz", "a" * 5000, "..%2f..%2fetc", "%0d%0aX: y", "+",
    "%22", "%5B%5D", "null", "true", "{}", "[]", "%F4%90%80%80", "%00" * 100,
]  # fmt: skip
BODIES = [
    b"", b"{", b"null", b"[]", b"{}", b'"\\ud800"', b'"\\udc00\\ud800"', b"\xff\xfe", b"\xef\xbb\xbf{}", b"\0" * 50,
    b"[" * 5000, b'{"a":' * 5000, b"1e400", b"9" * 6000, b'{"x":1e400}', b'{"x":NaN}', b'{"x":1,"x":2}', b'{"x":"1"}',
    b'{"x":-1e-400,"y":' + b"9" * 5000 + b"}", b'{"user":"\\u0000"}', b"{} {}", b'{"nodeName":"\xed\xa0\x80"}',
    b"user=%ff", b"user=%", b"user=a&user=b", b"=", b"&" * 3000, b"a=1&" * 2000, b"user=" + b"x" * 100_000,
    b"--b\r\n\r\n", b"--b--\r\n", b"--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"../../x\xff\"\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"document\"; filename=\"x\"\r\n\r\nx", b"--b\r\nX" * 100,
    b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n--b--\r\n", b"--b\r\n" + b"A: b\r\n" * 500,
    b"--b\r\nContent-Disposition: form-data; name=\"point\"\r\n\r\n" + b"[" * 3000 + b"\r\n--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n" * 1100 + b"--b--\r\n",
    b"--b\r\nContent-Disposition: form-data; name=\"documents\"; filename=\"\"\r\n\r\n\r\n--b--\r\n",
]  # fmt: skip
TYPES = [
    "", "application/json", "application/json; charset=latin-1", "text/plain", "application/x-www-form-urlencoded",
    "multipart/form-data", "multipart/form-data; boundary=b", "multipart/form-data; boundary=" + "b" * 300,
    "multipart/form-data; boundary=\"b\"", "application/xml", "/", "application/json;;;", "\xe4", "application/JSON",
    "application/octet-stream", "a" * 3000, "multipart/mixed; boundary=b",
]  # fmt: skip
HEADERS = [
    f"x-count: {10**30}", "x-count: 1\r\nx-count: 2", "x-count: \xff", "cookie: sid=\x01; n=;;=;=",
    "cookie: " + "a=b;" * 2000,
    "last-event-id: 99999999999999999999999", "last-event-id: -1", "accept: text/event-stream", "accept: \xff" * 10,
    "traceparent: 00-" + "0" * 32 + "-" + "0" * 16 + "-01", "traceparent: \xff", "range: bytes=-0", "range: bytes=9-1",
    "range: bytes=0-,5-", "range: bytes=99999999999999999999-", "if-modified-since: never", "if-none-match: *",
    "content-encoding: gzip", "expect: 100-continue", "cookie: sid=\"", "x-" + "y" * 4000 + ": z",
]  # fmt: skip


def hostile(port: int, document: dict[str, Any], count: int, seed: int) -> Counter[int]:
    """Send ``count`` requests that are wrong in some way; the statuses of the answers, 0 where the node hung up.

    :raises AssertionError: an answer is a 5xx, or a refusal that is no problem document.
    """
    chance = random.Random(seed)
    promises = Promises(document)
    statuses: Counter[int] = Counter()
    operations = [(path, method) for path, item in document["paths"].items() for method in item]
    for _ in range(count):
        path, method = chance.choice(operations)
        sent, request = _request(chance, path, method)
        status, kind, body = _exchange(port, request)
        statuses[status] += 1
        try:
            if sent == method and status:
                promises.check(path, method, status, kind, body)
            assert status < 500, status
        except Exception as error:
            raise AssertionError(f"{request[:3000]!r} got {status} {kind} {body[:1000]!r}") from error
    return statuses


def _request(chance: random.Random, path: str, method: str) -> tuple[str, bytes]:
    while "{" in path:
        before, _, rest = path.partition("{")
        path = before + chance.choice(TEXTS + NUMBERS[:3]).replace(" ", "%20") + rest.partition("}")[2]
    names = ["number", "ratio", "many", "at", "on", "when", "lasts", "uid", "price", "from", "percent", "count", "yes"]
    query = "&".join(
        f"{chance.choice(names)}={chance.choice(TEXTS + NUMBERS)}" for _ in range(chance.choice([0, 1, 2, 3, 40]))
    ).replace(" ", "%20")
    if chance.random() < 0.05:
        method = chance.choice(["get", "post", "put", "delete", "patch", "head", "options", "brew"])
    lines = [f"{method.upper()} {path}?{query} HTTP/1.1", "Host: 127.0.0.1", "Connection: close"]
    lines += chance.sample(HEADERS, chance.choice([0, 0, 1, 2]))
    body = b""
    if method not in ("get", "head") or chance.random() < 0.1:
        body = chance.choice(BODIES)
        lines += [f"Content-Type: {chance.choice(TYPES)}", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, "", ""]).encode("utf-8" if chance.random() < 0.5 else "latin-1", "replace")
    return method, head + body


def _exchange(port: int, request: bytes) -> tuple[int, str, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(request)
        except OSError:
            pass  # it has answered already and closed
        answer = b"".join(_pieces(connection))
    while answer.startswith(b"HTTP/1.1 100"):
        answer = answer.partition(b"\r\n\r\n")[2]
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head:
        return 0, "", b""
    lines = head.decode("latin-1").lower().split("\r\n")
    kinds = [line.partition(":")[2].strip() for line in lines if line.startswith("content-type:")]
    if "transfer-encoding: chunked" in lines:
        body = b"".join(_chunks(body))
    return int(lines[0].split()[1]), "".join(kinds), body


def _chunks(body: bytes) -> Iterator[bytes]:
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return
        yield body[:length]
        body = body[length + 2 :]


def _pieces(connection: socket.socket) -> Iterator[bytes]:
    try:
        while piece := connection.recv(65536):
            yield piece
    except ConnectionResetError:
        return
