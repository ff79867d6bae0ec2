"""What does not fit together in the settings of http-out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from junctor.adapters import HttpOut
from junctor.adapters.mqtt.broker import Trust as MqttTrust
from junctor.errors import ConfigurationError, SettingError
from junctor.services import spec_of
from tests.servers.authority import Authority

URL = "https://crm.example/x"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "crm"}, "is no URL"),
        ({"url": "https://crm.example/{file.name}"}, 'there is no "file" here'),
        ({"path": "/{body"}, "a brace is not closed"),
        ({"path": "/{topic}"}, 'there is no "topic" here'),
        ({"headers": {"X": "{topic}"}}, 'X: there is no "topic" here'),
        ({"headers": {"X Y": "1"}}, "'X Y' is no name of a header"),
        ({"headers": {"X\r\nY": "1"}}, "is no name of a header"),
        ({"headers": {"Content-Length": "1"}}, "Content-Length is not for settings"),
        ({"key_header": "Host"}, "Host is not for settings"),
        ({"fields": {"a": "body.a"}, "content": "text"}, "there is nothing to put them in"),
        ({"text": "{body}", "content": "json"}, "it is sent with content: text alone"),
        ({"bearer": "t", "user": "ann"}, "user and bearer would both say who calls"),
        ({"bearer": "t", "headers": {"authorization": "x"}}, "bearer and headers.Authorization would both"),
        ({"password": "p"}, "a password needs a user"),
        ({"user": "a:b"}, "a user of HTTP Basic has no colon"),
        ({"client_id": "me"}, "there is nobody to ask for a token"),
        ({"token_url": "https://id.example/token"}, "a token is asked for with it"),
        ({"token_url": "id", "client_id": "a", "client_secret": "b"}, "is no URL"),
        ({"ca": Path("/no/such/file")}, "there is no file /no/such/file"),
        ({"url": "http://crm.example/x", "ca": Path(__file__)}, "the URL is one without TLS"),
        ({"ca": Path(__file__)}, "it cannot be used"),
        ({"certificate": Path(__file__)}, "it cannot be used"),
        ({"key_file": Path(__file__)}, "a key needs its certificate"),
        ({"on": {"4yy": "done"}}, '"4yy" is no status'),
        ({"on": {"404": "ignore"}}, "ignore"),
        ({"response": {"x": "reply.y"}}, "reply"),
        ({"rate": "fast"}, '"fast" is no rate'),
        ({"method": "BREW"}, "BREW"),
        ({"timeout": 0}, "is not above 0"),
    ],
)
def test_they_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises((SettingError, ConfigurationError)) as caught:
        HttpOut(**{"url": URL, **settings})
    assert told in str(caught.value)


@pytest.mark.parametrize("made", [HttpOut, MqttTrust])
def test_a_key_with_a_password_is_refused_and_none_is_asked_for(made: Any, tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path).issue("localhost")
    plain = serialization.load_pem_private_key(key.read_bytes(), None)
    kind = serialization.BestAvailableEncryption(b"geheim")
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(plain.private_bytes(serialization.Encoding.PEM, form, kind))
    with pytest.raises((SettingError, OSError), match="the private key is encrypted"):
        if made is HttpOut:
            HttpOut(url=URL, certificate=certificate, key_file=key)
        else:
            MqttTrust(None, certificate, key).context()


def test_secrets_do_not_show() -> None:
    made = HttpOut(url=URL, bearer="hush-hush-1", query={"k": "hush-hush-2"}, path="/hush-hush-3")
    assert "hush" not in repr(made)
    assert "hush" not in repr(spec_of(made).settings)
