"""Routes whose path and methods are settings."""

from __future__ import annotations

import pytest

from junctor import Service, route, setting
from junctor.errors import ConfigurationError, SettingError
from junctor.services import spec_of
from junctor.settings.values import UNSET


class Hook(Service):
    path: str = setting()
    methods: list[str] = setting(["POST"])
    status: int = setting(202)

    @route(path, methods=methods, status=status)
    def take(self) -> None:
        """Take it."""


def served(**settings: object) -> list[tuple[str, str, int]]:
    return [(one.method, one.path, one.status) for one in spec_of(Hook, settings=settings).routes]


def test_the_settings_say_where() -> None:
    assert served(path="/orders") == [("POST", "/orders", 202)]
    assert served(path="/orders", methods=["put", "POST", "PUT"], status=200) == [
        ("PUT", "/orders", 200),
        ("POST", "/orders", 200),
    ]


def test_what_nobody_knows_yet_has_a_place_of_its_own() -> None:
    assert served(path=UNSET, methods=UNSET, status=UNSET) == [("POST", "/hook/path", 200)]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"path": "orders"}, "hook.path (flow.yaml:3): 'orders' is no path. It begins with /"),
        ({"path": "/orders", "methods": []}, "hook.methods (flow.yaml:4): there is no method"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(settings: dict[str, object], told: str) -> None:
    places = {"path": "flow.yaml:3", "methods": "flow.yaml:4"}
    with pytest.raises(SettingError) as caught:
        spec_of(Hook, settings=settings, places=places)
    assert told in str(caught.value)


def test_a_parameter_of_the_path_needs_one_of_the_function() -> None:
    with pytest.raises(ConfigurationError, match="the path /a/{name} has {name}"):
        spec_of(Hook, settings={"path": "/a/{name}"})
