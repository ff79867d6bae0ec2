"""Which listeners a node gets from the ``http`` sections of its flows."""

from __future__ import annotations

import pytest

from junctor.errors import ConfigurationError
from junctor.http.listening.limits import Limits
from junctor.http.settings import Admin, ApiKey, Cors, HttpSettings, Tls
from junctor.node.address import Address
from junctor.node.layout import Place, lay_out

SECRET = "0123456789abcdef"


UNSAID = Address()


def laid_out(address: Address | None = UNSAID, **sections: HttpSettings) -> dict[str, Place]:
    return {place.name: place for place in lay_out(sections, address)}


def test_nobody_says_anything() -> None:
    assert laid_out(a=HttpSettings(), b=HttpSettings()) == {
        "main": Place(name="main", host="127.0.0.1", port=8080, flexible=True, flows=("a", "b"), built_in=True)
    }


def test_what_a_file_says_and_options_over_it() -> None:
    section = HttpSettings(host="0.0.0.0", port=90)
    assert laid_out(a=section, b=HttpSettings())["main"].at == ("0.0.0.0", 90)
    assert not laid_out(a=section)["main"].flexible
    assert laid_out(Address("127.0.0.1", 91), a=section)["main"].at == ("127.0.0.1", 91)
    assert laid_out(Address(port=91), a=section)["main"].at == ("0.0.0.0", 91)
    assert laid_out(Address(host="::1"), a=section)["main"].at == ("::1", 90)


def test_without_an_address_there_is_what_flows_give_a_port() -> None:
    assert laid_out(None, a=HttpSettings()) == {}
    assert list(laid_out(None, a=HttpSettings(port=90), b=HttpSettings(listener="lab", port=91))) == ["main", "lab"]


def test_a_listener_of_its_own() -> None:
    found = laid_out(a=HttpSettings(), b=HttpSettings(listener="lab", port=8090), c=HttpSettings(listener="lab"))
    assert found["main"].flows == ("a",) and found["main"].built_in
    assert found["lab"].flows == ("b", "c") and found["lab"].at == ("127.0.0.1", 8090) and not found["lab"].built_in


def test_nobody_uses_the_main_one() -> None:
    alone = HttpSettings(listener="lab", port=8090)
    assert list(laid_out(a=alone)) == ["lab"]
    assert laid_out(a=alone)["lab"].built_in
    assert list(laid_out(Address(port=0), a=alone)) == ["lab", "main"]


def test_administration_apart() -> None:
    found = laid_out(a=HttpSettings(admin=Admin(port=8081)), b=HttpSettings(admin=Admin(port=8081)))
    assert not found["main"].built_in
    assert found["admin"].built_in and found["admin"].at == ("127.0.0.1", 8081) and found["admin"].flows == ()


def test_keys_open_what_is_built_in() -> None:
    one, two = ApiKey(name="one", secret=SECRET), ApiKey(name="two", secret=SECRET + "2")
    assert laid_out(a=HttpSettings(keys=(one,)), b=HttpSettings(keys=(one, two)))["main"].keys == (one, two)


TLS = Tls(certificate="a.pem", key="a.key")


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ([{"port": 90}, {"port": 91}], ["a and b", "port", "90 and 91", "listener of its own"]),
        ([{"host": "::1"}, {"host": "127.0.0.1"}], ["a and b", "host"]),
        ([{"tls": TLS}, {"tls": Tls(certificate="b.pem", key="b.key")}], ["a and b", "tls"]),
        ([{"limits": Limits(head=1024)}, {"limits": Limits(head=2048)}], ["a and b", "limits"]),
        ([{"admin": Admin(port=1)}, {"admin": Admin(port=2)}], ["a and b", "admin"]),
        ([{"listener": "lab"}], ['"lab" has no port', "port: 8090"]),
        ([{"port": 90}, {"listener": "lab", "port": 90}], ['"main" and "lab" both want port 90']),
        ([{"port": 90, "host": "0.0.0.0"}, {"listener": "lab", "port": 90}], ["both want port 90"]),
        ([{"port": 90, "admin": Admin(port=90)}], ['"main" and "admin" both want port 90']),
        ([{"path": "plant"}], ['"plant" is not a prefix', "/plant"]),
        ([{"path": "/plant/"}], ["not a prefix"]),
        ([{"path": "/{x}"}], ["not a prefix"]),
        ([{"listener": "admin", "port": 1}], ["admin is taken"]),
        ([{"listener": "Lab", "port": 1}], ["not a name of a listener"]),
        ([{"body": 0}], ["http.body of flow a", "0 is below the minimum of 1"]),
        ([{"port": 99999}], ["99999 is above the maximum of 65535", "from 0 to 65535"]),
        ([{"port": -1}, {"upload": -1}], ["-1 is below the minimum"]),
        ([{"admin": Admin(port=70000), "depth": 0}], ["http.admin.port", "http.depth"]),
        ([{"tls": Tls(certificate="", key="a.key")}], ["http.tls.certificate of flow a: certificate is empty"]),
        ([{"hosts": ("http://x",)}], ["not the name of a host"]),
        ([{"limits": Limits(receive=0)}], ["http.limits.receive", "0 is not above 0"]),
        ([{"admin": Admin(hosts=("x:1",))}], ["http.admin.hosts", "not the name of a host"]),
        ([{"admin": Admin(keys=(ApiKey(name="a", secret="short"),))}], ["http.admin.keys", "fewer than 16"]),
        ([{"cors": Cors(origins=("*",), credentials=True)}], ["credentials cannot be open to every origin"]),
        ([{"cors": Cors(origins=("app.example.org",))}], ["is not an origin", "https://app.example.org"]),
        ([{"cors": Cors(origins=("https://a.example/path",))}], ["is not an origin"]),
        ([{"keys": (ApiKey(name="a", secret="short"),)}], ["fewer than 16", "token_urlsafe"]),
        ([{"keys": (ApiKey(name="a", secret="sha256:" + "x" * 64),)}], ["64 hexadecimal digits"]),
        ([{"keys": (ApiKey(name="", secret=SECRET),)}], ["http.keys[0].name of flow a: name is empty"]),
        ([{"keys": (ApiKey(name="a", secret=SECRET), ApiKey(name="a", secret=SECRET))}], ["two keys are called"]),
        ([{"keys": (ApiKey(name="a", secret=SECRET, paths=("x",)),)}], ['"x" of a is not a path']),
    ],
)
def test_contradictions(sections: list[dict[str, object]], said: list[str]) -> None:
    named = {name: HttpSettings(**section) for name, section in zip("ab", sections, strict=False)}  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError) as caught:
        lay_out(named, Address())
    for words in said:
        assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_key_does_not_show() -> None:
    assert SECRET not in repr(HttpSettings(keys=(ApiKey(name="a", secret=SECRET),)))
