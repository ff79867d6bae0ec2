"""Destinations in every spelling of the pages."""

from __future__ import annotations

import pytest

from junctor.dialects.microservicebus.names import name_of_type, resolve, service_id
from junctor.errors import UnknownTarget

NAMES = ["someservice", "emailhandler", "my-other-service", "logger", "com", "read_gpio"]
CLASSES = {"someservice": "someService", "read_gpio": "Reader"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("someService_py", "someservice"),
        ("someService", "someservice"),
        ("SOMESERVICE_PY", "someservice"),
        ("emailhandler", "emailhandler"),
        ("emailhandler_py", "emailhandler"),
        ("MyOtherService", "my-other-service"),
        ("myotherservice_py", "my-other-service"),
        ("my-other-service", "my-other-service"),
        ("my_other_service_py", "my-other-service"),
        ("logger", "logger"),
        ("com", "com"),
        (" com ", "com"),
        ("ReadGPIO", "read_gpio"),
        ("Reader_py", "read_gpio"),
    ],
)
def test_a_destination_is_taken_in_every_spelling(written: str, name: str) -> None:
    assert resolve(written, NAMES, CLASSES) == name


def test_what_nobody_is_called_is_told_with_the_nearest() -> None:
    with pytest.raises(UnknownTarget, match="no service 'emailhandlr'.*Did you mean \"emailhandler\""):
        resolve("emailhandlr", NAMES, CLASSES)


def test_what_two_are_called_is_told() -> None:
    with pytest.raises(UnknownTarget, match="'ReadGPIO' may be read-gpio or read_gpio"):
        resolve("ReadGPIO", ["read-gpio", "read_gpio"], {})
    assert resolve("read_gpio", ["read-gpio", "read_gpio"], {}) == "read_gpio"
    assert resolve("readgpio", ["read-gpio", "readgpio"], {}) == "readgpio"
    assert resolve("ReadGPIO_py", ["read-gpio", "readgpio"], {}) == "readgpio"
    with pytest.raises(UnknownTarget, match="one or other"):
        resolve("Reader", ["one", "other"], {"one": "Reader", "other": "Reader"})


def test_ids_are_those_of_the_original() -> None:
    assert name_of_type("Receiver") == "receiver"
    assert name_of_type("Receiver_py") == "receiver"
    assert service_id("receiver") == "receiver_py"
    assert service_id("logger") == "logger"
