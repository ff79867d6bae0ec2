"""HTTPS, clients that show a certificate, and clients that do not even speak TLS."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from junctor.errors import ConfigurationError
from junctor.http.listening.limits import Limits
from junctor.http.settings import Tls
from tests.integration.http.client import Answer, raw, read_answer
from tests.integration.http.small_host import SmallHost, route


class Echo:
    @route("GET", "/hello")
    async def hello(self) -> str:
        return "hello"


class Authority:
    """Certificates of a test, as files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ca = trustme.CA()
        self.client_ca = trustme.CA()
        self.certificate, self.key, self.clients = folder / "a.pem", folder / "a.key", folder / "clients.pem"
        self.issue()
        self.client_ca.cert_pem.write_to_path(str(self.clients))

    def issue(self, ca: trustme.CA | None = None) -> None:
        made = (ca or self.ca).issue_cert("localhost", "127.0.0.1")
        self.certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        self.key.write_bytes(made.private_key_pem.bytes())

    def tls(self, *, mutual: bool = False) -> Tls:
        return Tls(certificate=str(self.certificate), key=str(self.key), clients=str(self.clients) if mutual else None)

    def context(self, *, shows: bool = False, ca: trustme.CA | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context()
        (ca or self.ca).configure_trust(context)
        if shows:
            self.client_ca.issue_cert("client@example.org").configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
    writer.write(b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
    return await read_answer(reader)


async def over_tls(port: int, context: ssl.SSLContext) -> Answer:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
    try:
        async with asyncio.timeout(10):
            return await ask(reader, writer)
    finally:
        writer.close()


async def test_https(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls()) as listener:
        assert listener.url.startswith("https://127.0.0.1:")
        assert (await over_tls(listener.port, authority.context())).json == "hello"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
async def test_old_tls_is_refused(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls()) as listener:
        old = authority.context()
        old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await over_tls(listener.port, old)


async def test_plain_http_hears_what_this_port_speaks(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls()) as listener:
        answer = await raw(listener.port, b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert (answer.status, answer.code) == (400, "tls") and "https://" in answer.json["fix"]
        assert (await over_tls(listener.port, authority.context())).status == 200


@pytest.mark.parametrize("data", [b"\0\0\0\0", b"\x16\x03\x01\x00\x05aaaaa", b"\x16", b"\x80\x80 SSLv2", b""])
async def test_noise_instead_of_a_handshake(
    serve: Any, authority: Authority, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls()) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(data)
        if data in (b"", b"\x16"):
            writer.write_eof()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(10):
                await reader.read()
        writer.close()
        assert (await over_tls(listener.port, authority.context())).status == 200
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_half_open_handshakes_are_dropped(serve: Any, authority: Authority) -> None:
    limits = Limits(receive=0.2)
    async with serve(SmallHost(Echo()), tls=authority.tls(), limits=limits) as listener:
        idle = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(20)]
        for number, (_, writer) in enumerate(idle):
            writer.write(b"\x16\x03\x01" if number % 2 else b"")
        async with asyncio.timeout(10):
            for reader, writer in idle:
                with contextlib.suppress(ConnectionError):
                    assert await reader.read() == b""
                writer.close()
        assert (await over_tls(listener.port, authority.context())).status == 200


async def test_a_slow_client_over_tls(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls(), limits=Limits(receive=0.3)) as listener:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=authority.context(), server_hostname="localhost"
        )
        writer.write(b"GET /hello HTTP/1.1\r\nhost: ")
        async with asyncio.timeout(10):
            assert (await read_answer(reader)).code == "too-slow"
        writer.close()


async def test_clients_show_a_certificate(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls(mutual=True)) as listener:
        assert (await over_tls(listener.port, authority.context(shows=True))).json == "hello"
        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await over_tls(listener.port, authority.context())


async def test_a_new_certificate_without_closing_a_connection(serve: Any, authority: Authority) -> None:
    async with serve(SmallHost(Echo()), tls=authority.tls()) as listener:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", listener.port, ssl=authority.context(), server_hostname="localhost"
        )
        assert (await ask(reader, writer)).status == 200
        other = trustme.CA()
        authority.issue(other)
        context = listener.prepare(authority.tls(mutual=True))
        listener.change(Limits(), authority.tls(mutual=True), context, sockets=False)
        assert (await ask(reader, writer)).status == 200
        assert (await over_tls(listener.port, authority.context(ca=other, shows=True))).status == 200
        with pytest.raises(ssl.SSLError):
            await over_tls(listener.port, authority.context(shows=True))
        writer.close()


async def test_1000_idle_connections(serve: Any, authority: Authority) -> None:
    limits = Limits(connections=1200)
    async with serve(SmallHost(Echo()), limits=limits) as listener:
        idle = [await asyncio.open_connection("127.0.0.1", listener.port) for _ in range(1000)]
        answer = await raw(listener.port, b"GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n")
        assert answer.json == "hello" and listener.connections >= 1000
        for _, writer in idle:
            writer.close()


# Files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda a: a.certificate.unlink(), ["a.pem", "cannot be read"]),
        (lambda a: a.key.unlink(), ["a.key", "cannot be read"]),
        (lambda a: a.certificate.write_text("nothing"), ["a.pem", "holds no certificate"]),
        (lambda a: a.key.write_text("nothing"), ["a.key", "holds no private key"]),
        (lambda a: a.key.write_bytes(trustme.CA().issue_cert("x.org").private_key_pem.bytes()), ["does not belong"]),
        (lambda a: a.clients.write_text("nothing"), ["clients.pem", "holds no certificate"]),
        (lambda a: a.clients.unlink(), ["clients.pem", "cannot be read"]),
    ],
)
async def test_files_that_cannot_be_used(serve: Any, authority: Authority, spoil: Any, said: list[str]) -> None:
    spoil(authority)
    with pytest.raises(ConfigurationError) as caught:
        async with serve(SmallHost(Echo()), tls=authority.tls(mutual=True)):
            pass
    for words in said:
        assert words in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
async def test_a_key_that_may_not_be_read(serve: Any, authority: Authority) -> None:
    authority.key.chmod(0)
    with pytest.raises(ConfigurationError, match=r"a\.key cannot be read: Permission denied"):
        async with serve(SmallHost(Echo()), tls=authority.tls()):
            pass


async def test_an_encrypted_key_does_not_ask_for_its_password(serve: Any, authority: Authority) -> None:
    from cryptography.hazmat.primitives import serialization as form

    key = form.load_pem_private_key(authority.key.read_bytes(), None)
    sealed = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"x"))
    authority.key.write_bytes(sealed)
    with pytest.raises(ConfigurationError, match="is encrypted"):
        async with serve(SmallHost(Echo()), tls=authority.tls()):
            pass
