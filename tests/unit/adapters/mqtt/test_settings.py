"""What the settings of the MQTT adapters may be, and what is told of those that cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from junctor.adapters import MqttIn, MqttOut
from junctor.adapters.mqtt.broker import Address
from junctor.errors import SettingError

IN: dict[str, Any] = {"url": "mqtt://host", "topics": ["a"]}
OUT: dict[str, Any] = {"url": "mqtt://host", "topic": "a"}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://host", Address("host", 1883)),
        ("mqtts://host", Address("host", 8883, tls=True)),
        ("mqtt://[::1]:7", Address("::1", 7)),
        ("ws://host/sockets", Address("host", 80, path="/sockets")),
        ("wss://host:8443", Address("host", 8443, tls=True, path="/mqtt")),
    ],
)
def test_addresses(url: str, address: Address) -> None:
    assert Address.read(url) == address


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"url": "host:1883"}, "is no address of a broker"),
        ({"url": "http://host"}, "is no address of a broker"),
        ({"url": "mqtt://host:port"}, "is no address"),
        ({"url": "mqtt://host/topic"}, "something behind the port"),
        ({"url": "mqtt://ann:secret@host"}, "settings user and password"),
        ({"url": "tcp://ann:secret@host"}, "settings user and password"),
        ({"url": "mqtt:ann:secret@host"}, "settings user and password"),
        ({"url": "mqtt://ann:secret@host:99999"}, "settings user and password"),
        ({"topics": []}, "topics"),
        ({"topics": ["a/#/b"]}, "wildcards where none can be"),
        ({"topics": ["a+"]}, "wildcards where none can be"),
        ({"topics": ["$share/group"]}, "names no group and topic"),
        ({"topics": [""]}, "is no topic"),
        ({"topics": ["a\x00"]}, "is no topic"),
        ({"qos": 2}, "qos"),
        ({"receive": 0}, "receive"),
        ({"password": "secret"}, "a password needs a user"),
        ({"ca": "no-such-file", "url": "mqtts://host"}, "there is no file no-such-file"),
        ({"ca": __file__}, "the address is one without TLS"),
        ({"key_file": __file__, "url": "mqtts://host"}, "a key needs its certificate"),
        ({"once_by": "id", "protocol": "3.1.1"}, "has no user properties"),
        ({"key": "message.id"}, 'there is no "message" here'),
        ({"will_topic": "a/+"}, "has a wildcard"),
    ],
)
def test_what_mqtt_in_refuses(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told) as raised:
        MqttIn(**IN | settings)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"topic": ""}, "topic"),
        ({"topic": "a/+"}, "has a wildcard"),
        ({"topic": "a/{body."}, "topic"),
        ({"topic": "{response.x}"}, 'there is no "response" here'),
        ({"payload": "response"}, 'there is no "response" here'),
        ({"expiry": "1h", "protocol": "3.1.1"}, "MQTT 3.1.1 does not have this"),
        ({"properties": {"a": "{nobody}"}}, "nobody"),
    ],
)
def test_what_mqtt_out_refuses(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        MqttOut(**OUT | settings)


def test_passwords_show_nowhere(tmp_path: Path) -> None:
    source = MqttIn(**IN, user="ann", password="hunter22")
    assert "hunter22" not in repr(source) + repr(source.broker("me"))
    assert source.broker("me").password == "hunter22"
