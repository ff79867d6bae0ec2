"""The alerts section: what may be written, what it means, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from junctor.core.alarm import Pace
from junctor.core.hours import Hours
from junctor.errors import ConfigurationError
from junctor.flows import FlowModel, wire
from junctor.flows.alerts import AlertRule
from junctor.flows.comparison import compare
from junctor.flows.destinations import Command, Email, Webhook, secrets_of
from junctor.flows.files.schema import flow_schema
from junctor.flows.files.written import _Writer
from junctor.services import Service, handler
from junctor.settings import Secret

HOOK = {"webhook": "https://hooks.example.com/T0/secret"}


class Crm(Service):
    @handler
    def take(self, body: dict[str, Any]) -> None: ...


def rules(*written: dict[str, Any]) -> tuple[AlertRule, ...]:
    return FlowModel("shop", alerts=written).alerts


def problem(*written: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        rules(*written)
    return str(caught.value)


def test_a_rule_in_short() -> None:
    (rule,) = rules({"when": {"parked": 1}, "send": HOOK})
    assert (rule.name, rule.when.words, rule.pace, rule.hours) == ("parked", ("parked",), Pace(), Hours())
    assert {way: one.to for way, one in rule.destinations.items()} == {"webhook": "webhook hooks.example.com"}


def test_a_rule_with_everything() -> None:
    mail = {"to": "a@x.org, b@x.org", "server": "smtps://m:465", "user": "ops@x.org", "password": Secret("hunter22")}
    hook = {"url": "https://h.example/", "headers": {"Authorization": Secret("Bearer t0k3n")}, "ca": "our.pem"}
    (rule,) = rules(
        {
            "name": "crm-away",
            "when": {"held": "10m", "silent": "15m", "service": "crm", "hours": "07:00-19:00", "days": ["mon", "wed"]},
            "send": [{"webhook": hook, "email": mail}, {"command": ["/bin/page", "ops"]}, {"command": "/bin/page"}],
            "after": "30s",
            "again": "1h",
            "pace": "5m",
            "resolved": False,
        }
    )
    assert rule.pace == Pace(after=30, again=3600, pace=300, resolved=False)
    assert rule.when.service == ("crm",) and rule.hours.days == {0, 2}
    assert list(rule.destinations) == ["webhook", "email", "command", "command-2"]
    webhook, email, command, _ = rule.destinations.values()
    assert isinstance(webhook, Webhook) and isinstance(email, Email) and isinstance(command, Command)
    assert email.to_ == ("a@x.org", "b@x.org") and email.origin == "ops@x.org"
    assert command.argv == ("/bin/page", "ops")
    assert secrets_of(email) == ["hunter22"]
    assert secrets_of(webhook) == ["Bearer t0k3n"], "a bare address of a server is no secret"
    assert "t0k3n" not in repr(rule) and "hunter22" not in repr(rule)
    assert "T0/secret" not in repr(rules({"when": {"parked": 1}, "send": HOOK}))


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("https://h.example/alerts", []),
        ("https://h.example/api/v2/junctor/night-shift/alertReceiver", []),
        ("https://h.example/services/T0/B0/XyzAbcdefGhijklMnop", ["XyzAbcdefGhijklMnop"]),
        ("https://h.example/hook/9f8e7d6c5b4a", ["9f8e7d6c5b4a"]),
        ("https://h.example/alerts?channel=alerts", ["channel=alerts"]),
        ("https://h.example/alerts?token=hunter", ["token=hunter", "hunter"]),
        ("https://h.example/alerts?x=9f8e7d6c5b4a", ["x=9f8e7d6c5b4a", "9f8e7d6c5b4a"]),
    ],
)
def test_what_is_secret_of_an_address_are_not_its_words(url: str, secrets: list[str]) -> None:
    assert secrets_of(Webhook(url=url)) == secrets


def test_names_are_made_and_unlike() -> None:
    made = rules(
        {"when": {"held": 60, "service": ["crm", "erp"]}, "send": HOOK},
        {"when": {"parked": 1}, "send": HOOK},
        {"when": {"parked": 10}, "send": HOOK},
    )
    assert [rule.name for rule in made] == ["held-crm", "parked", "parked-2"]
    taken = {"name": "parked", "when": {"parked": 1}, "send": HOOK}
    assert 'there is a rule "parked" already' in problem(taken, taken)


def test_stopped_is_a_truth_or_a_number() -> None:
    one, two = rules({"when": {"stopped": True}, "send": HOOK}, {"when": {"stopped": 2, "parked": None}, "send": HOOK})
    assert (one.when.stopped, two.when.stopped) == (1, 2)
    assert "it is empty. Give one of: parked, stopped, held" in problem({"when": {"stopped": False}, "send": HOOK})


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"when": {"parkd": 1}, "send": HOOK}, 'there is no such word. Did you mean "parked"?'),
        ({"when": {"parked": 0}, "send": HOOK}, "when.parked is 0. Give at least 1."),
        ({"when": {"disk": 193}, "send": HOOK}, "for bytes that are left write free: 2GiB"),
        ({"when": {"parked": 1}, "send": {}}, "it is empty. Give one of: webhook, email, command, service."),
        ({"when": {"parked": 1}, "send": []}, "it is empty. Give one of: webhook, email, command, service."),
        ({"when": {"parked": 1}, "send": {"webhook": "ftp://x"}}, "does not begin with http:// or https://"),
        ({"when": {"parked": 1}, "send": {"webhook": "https://x:port/"}}, "webhook.url is no address"),
        ({"when": {"parked": 1}, "send": {"webhook": "https://u:p@x/"}}, "webhook.url has a user in it"),
        ({"when": {"parked": 1}, "send": {"webhook": "https://x/\r\nX: y"}}, "characters that no address has"),
        (
            {"when": {"parked": 1}, "send": {"webhook": {"url": "https://x", "headers": {"X": "a\r\nY: b"}}}},
            'a wrong header "X"',
        ),
        *(
            (
                {"when": {"parked": 1}, "send": {"webhook": {"url": "https://x", "headers": {name: "1"}}}},
                f'webhook.headers has "{name}", which follows from the address and the body. Leave it out.',
            )
            for name in ("Host", "content-length", "Transfer-Encoding", "CONNECTION")
        ),
        ({"when": {"parked": 1}, "send": {"email": "ops@x.org\nBcc: y@x.org"}}, "no mail address"),
        ({"when": {"parked": 1}, "send": {"email": {"to": "a@x.org", "user": "a"}}}, "belong together"),
        ({"when": {"parked": 1}, "send": {"email": {"to": "a@x.org", "server": "mail"}}}, "smtp:// or smtps://"),
        ({"when": {"parked": 1}, "send": {"email": {"to": "a@x.org", "server": "smtp://u:p@m"}}}, "has a user in it"),
        ({"when": {"parked": 1, "hours": "07:00-19:00"}, "send": HOOK}, "it has hours and no silent"),
        ({"when": {"silent": "13h", "hours": "07:00-19:00"}, "send": HOOK}, "silent is longer than its hours"),
        ({"when": {"silent": 1, "hours": "7-19"}, "send": HOOK}, '"7-19" are no hours. Write for example "07:00'),
        ({"when": {"parked": 1}, "send": HOOK, "again": "often"}, "'often' is not a duration"),
        ({"name": "Crm away", "when": {"parked": 1}, "send": HOOK}, "is not a name"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(written: dict[str, Any], told: str) -> None:
    text = problem(written)
    assert told in text and text.startswith("alerts[0]")
    assert "T0/secret" not in text and "u:p@" not in text


def test_a_service_that_is_not_there() -> None:
    flow = FlowModel("shop", alerts=[{"when": {"held": 1, "service": "cmr"}, "send": HOOK}]).add(Crm)
    with pytest.raises(ConfigurationError, match='there is no service "cmr" in this flow. Did you mean "crm"'):
        wire(flow)
    wire(FlowModel("shop", alerts=[{"when": {"held": 1, "service": "shop/crm"}, "send": HOOK}]).add(Crm))


def test_a_change_of_rules_is_a_change_of_the_flow() -> None:
    def flow(*written: dict[str, Any]) -> Any:
        return wire(FlowModel("shop", alerts=written).add(Crm))

    parked, held = {"when": {"parked": 1}, "send": HOOK}, {"when": {"held": 60}, "send": HOOK}
    assert compare(flow(parked), flow(parked)).kind == "same"
    changes = compare(flow(parked), flow({**parked, "again": 60}, held))
    assert (changes.kind, changes.alerts) == ("changed", ("parked changed", "held added"))
    assert compare(flow(held), flow()).alerts == ("held removed",)


def test_rules_of_python_written_as_a_file_keep_the_password_out() -> None:
    mail = {"to": "a@x.org", "server": "smtps://m:465", "user": "ops@x.org", "password": "hunter22"}
    rule = {"name": "away", "when": {"held": "10m"}, "send": [{"email": mail}, HOOK], "again": 0}
    flow = FlowModel("shop", alerts=[rule]).add(Crm)
    writer = _Writer(wire(flow), Path.cwd())
    text = str(writer._alerts())
    assert "hunter22" not in text and "${secret:ALERT_PASSWORD}" in text and writer.secrets == ["ALERT_PASSWORD"]


def test_the_schema_knows_what_may_be_written() -> None:
    hook = {"url": "https://h.example/", "headers": {"Authorization": "${secret:TOKEN}"}}
    rules: list[dict[str, Any]] = [
        {"when": {"parked": 1}, "send": {"webhook": "${ALERT_URL}"}},
        {"when": {"stopped": True}, "send": {"webhook": hook}, "resolved": False, "again": "1h", "pace": 60},
        {
            "when": {"silent": "15m", "service": "crm", "hours": "07:00-19:00", "days": "mon-fri"},
            "send": {"email": "a@x"},
        },
        {"when": {"free": "2GiB", "service": ["crm"]}, "send": [{"command": ["/bin/page"]}, {"command": "/bin/page"}]},
    ]
    checker = jsonschema_rs.validator_for(flow_schema())
    checker.validate({"alerts": rules})
    for wrong in ({"when": {"parkd": 1}, "send": {"webhook": "x"}}, {"when": {"parked": 1}}, {"when": {}, "send": []}):
        assert not checker.is_valid({"alerts": [wrong]})
