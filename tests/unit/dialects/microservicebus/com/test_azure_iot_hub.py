"""Topics, tokens and connection strings of Azure IoT Hub."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.dialects.microservicebus.com.providers.azure_iot_hub import topics
from junctor.dialects.microservicebus.com.providers.azure_iot_hub.identity import Identity
from junctor.errors import SettingError

KEY = base64.b64encode(b"a key").decode()


@pytest.mark.parametrize(
    ("topic", "heard"),
    [
        ("$iothub/twin/res/200/?$rid=7", topics.TwinAnswer(200, "7")),
        ("$iothub/twin/res/204/?$rid=7&$version=12", topics.TwinAnswer(204, "7")),
        ("$iothub/twin/PATCH/properties/desired/?$version=3", topics.DesiredChange(3)),
        ("$iothub/twin/PATCH/properties/desired/", topics.DesiredChange(0)),
        ("$iothub/methods/POST/reboot/?$rid=ab", topics.Method("reboot", "ab")),
        ("$iothub/methods/POST/reboot/?$rid=a+b%2F", topics.Method("reboot", "a+b/")),
        ("devices/dev1/messages/devicebound/", topics.ToDevice({})),
        ("devices/dev1/messages/devicebound", topics.ToDevice({})),
        (
            "devices/dev1/messages/devicebound/%24.mid=1&%24.to=%2Fdevices%2Fdev1&unit=%C2%B0C",
            topics.ToDevice({"$.mid": "1", "$.to": "/devices/dev1", "unit": "°C"}),
        ),
        ("devices/dev2/messages/devicebound/", None),
        ("$iothub/twin/res/x/?$rid=7", None),
        ("$iothub/methods/POST/", None),
        ("else", None),
    ],
)
def test_what_a_topic_means(topic: str, heard: topics.Heard | None) -> None:
    assert topics.read(topic, "dev1") == heard


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
def test_a_property_bag_is_one_level_without_wildcards_and_comes_back(properties: dict[str, str]) -> None:
    topic = topics.telemetry("dev1", properties)
    bag = topic.removeprefix("devices/dev1/messages/events/")
    assert not set("/+#\x00") & set(bag)
    assert topics.read(f"devices/dev1/messages/devicebound/{bag}", "dev1") == topics.ToDevice(properties)


def test_a_token() -> None:
    """The signature was computed with openssl: ``printf 'URI\\nEXPIRY' | openssl dgst -sha256 -hmac 'a key'``."""
    token = Identity("contoso.azure-devices.net", "dev 1", KEY).token(1_700_000_000)
    assert token == (
        "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdev%201"
        "&sig=4H21AkrBUgOIjJZJKGmzCVkMrF7qiSoehpkRR6GsnWc%3D&se=1700000000"
    )


def test_a_connection_string() -> None:
    one = Identity.read(f"HostName=h.example;DeviceId=dev1;SharedAccessKey={KEY};GatewayHostName=edge:8884")
    assert (one.hub, one.device, one.key) == ("h.example", "dev1", KEY)
    assert (one.address.host, one.address.port, one.address.tls) == ("edge", 8884, True)
    assert one.user == "h.example/dev1/?api-version=2021-04-12"
    assert KEY not in repr(one)
    assert Identity.read("HostName=h;DeviceId=d;x509=true").address.port == 8883


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "HostName=h",
        "DeviceId=d;SharedAccessKey=x",
        "HostName=h;SharedAccessKeyName=iothubowner;SharedAccessKey=x",
        "HostName=h;DeviceId=d;ModuleId=m;SharedAccessKey=x",
    ],
)
def test_what_is_none_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(SettingError) as caught:
        Identity.read(text)
    assert "SharedAccessKey=x" not in str(caught.value)
