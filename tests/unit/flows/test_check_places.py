"""Every finding of junctor check has the line where it is to be corrected, and none hides another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner

from junctor.cli.check import command
from junctor.cli.options import FlowArguments
from junctor.errors import ConfigurationError
from junctor.flows import Overrides, load, wire
from junctor.flows.files.document import parse_document
from junctor.flows.files.schema import flow_schema
from junctor.settings.written import plain
from tests.unit.flows.conftest import Write

Told = dict[str, Any]

SERVICES = """
    flow: plant
    services:
      monitor: {class: monitor:Monitor, connect: {readings: alarm}}
      alarm: {class: alarm:Alarm}
"""


@pytest.fixture
def check(plant: Write) -> Callable[..., list[Told]]:
    """Runs ``junctor check`` as a user does, and gives its errors and warnings."""

    def checked(*targets: str, text: str = "", levels: tuple[str, ...] = ("error", "warning")) -> list[Told]:
        if text:
            plant("flow.yaml", text)
        answer = CliRunner().invoke(command, [*(targets or ("flow.yaml",)), "--json"], standalone_mode=False)
        assert answer.exception is None, answer.exception
        return [told for told in json.loads(answer.output)["findings"] if told["level"] in levels]

    return checked


def line_of(text: str, word: str) -> int:
    """The line of a word in a text that begins with an empty line, as it stands in the file."""
    return next(number for number, line in enumerate(text.splitlines(), 1) if word in line)


# The http section ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("port: 99999", "http.port of flow plant: 99999 is above the maximum of 65535"),
        ("port: -1", "http.port of flow plant: -1 is below the minimum of 0"),
        ("body: -5", "http.body of flow plant: -5 is below the minimum of 1"),
        ("upload: 0", "http.upload of flow plant: 0 is below the minimum of 1"),
        ("depth: 0", "http.depth of flow plant: 0 is below the minimum of 1"),
        ('listener: ""', 'http.listener of flow plant: "" is not a name of a listener'),
        ("path: plant", 'http.path of flow plant: "plant" is not a prefix'),
        ("limits: {receive: 0}", "http.limits.receive of flow plant: 0.0 is not above 0"),
        ("limits: {connections: -3}", "http.limits.connections of flow plant: -3 is below the minimum of 1"),
        ("admin: {port: 70000}", "http.admin.port of flow plant: 70000 is above the maximum of 65535"),
        ("cors: {max_age: -1}", "http.cors.max_age of flow plant: -1.0 is below the minimum of 0"),
        ('hosts: ["a b"]', 'http.hosts[0] of flow plant: "a b" is not the name of a host'),
    ],
)
def test_check_run_and_schema_agree_on_bounds(
    check: Callable[..., list[Told]], plant: Write, written: str, told: str
) -> None:
    text = SERVICES + f"    http:\n      docs: true\n      {written}\n"
    found = check(text=text)
    assert [f"{one['where']}: {one['what']}" for one in found] == [told]
    assert (found[0]["file"], found[0]["line"]) == ("flow.yaml", line_of(text, written))
    with pytest.raises(ConfigurationError) as caught:
        wire(load("flow.yaml"))  # as a start does
    assert told.partition(": ")[2] in str(caught.value) and "(flow.yaml:" in str(caught.value)
    with pytest.raises(jsonschema_rs.ValidationError):
        validate(Path("flow.yaml").read_text())


def validate(text: str) -> None:
    jsonschema_rs.validate(flow_schema(), plain(parse_document(text, "flow.yaml")))


@pytest.mark.parametrize("written", ["port: 0", "port: 65535", 'port: "${PORT:-80}"', "path: /a/b", 'path: "${P:-/x}"'])
def test_the_bounds_let_through_what_is_right(check: Callable[..., list[Told]], written: str) -> None:
    assert check(text=SERVICES + f"    http:\n      {written}\n") == []
    validate(Path("flow.yaml").read_text())


def test_all_of_a_section_is_told_at_once(check: Callable[..., list[Told]]) -> None:
    text = (
        SERVICES
        + """
    http:
      port: 99999
      keys:
        - name: app
          secret: short-one
        - {name: app, secret: long-enough-to-be-one, paths: [plant]}
"""
    )
    found = {one["where"].partition(" ")[0]: one["line"] for one in check(text=text)}
    assert found == {
        "http.port": line_of(text, "99999"),
        "http.keys[0].secret": line_of(text, "short-one"),
        "http.keys[1].name": line_of(text, "[plant]"),
        "http.keys[1].paths[0]": line_of(text, "[plant]"),
    }


def test_a_contradiction_between_flows_has_a_line(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("one.yaml", SERVICES + "    http: {port: 8081}\n")
    plant("two.yaml", SERVICES.replace("plant", "other") + "    http:\n      port: 8082\n")
    (found,) = check("one.yaml", "two.yaml")
    assert "the flows plant and other say different things about port" in found["what"]
    assert (found["file"], found["line"]) == ("two.yaml", 7)


def test_a_listener_of_python_has_the_line_of_its_flow(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "made.py",
        """
        from alarm import Alarm
        from junctor import Flow

        flow = Flow("made", http={"port": 99999}).add(Alarm)
        """,
    )
    found = [one for one in check("made.py") if one["level"] == "error"]
    assert [(one["file"], one["line"]) for one in found] == [("made.py", 5)]


def test_a_missing_certificate_is_an_error_with_its_line(check: Callable[..., list[Told]]) -> None:
    text = SERVICES + "    http:\n      tls:\n        certificate: not-there.pem\n        key: not-there.key\n"
    (found,) = check(text=text)
    assert found["level"] == "error" and "not-there.pem cannot be read" in found["what"]
    assert (found["file"], found["line"]) == ("flow.yaml", line_of(text, "not-there.pem"))


# Connections --------------------------------------------------------------------------------------------------

ROOMS = """
    from dataclasses import dataclass
    from junctor import Service, Target, every, get, handler, setting

    @dataclass
    class Order:
        number: int
        country: str
        total: float
        coupon: str | None = None

    @dataclass
    class Invoice:
        number: int

    class Shop(Service):
        orders: Target[Order]

        @get("/order")
        async def order(self) -> int:
            await self.orders.send(Order(1, "DE", 1.0))
            return 1

    class Billing(Service):
        tax: float = setting(19.0, le=100)

        @handler
        async def on_order(self, order: Order): ...

    class Ledger(Service):
        mails: Target[Order] | None

        @handler
        async def on_invoice(self, invoice: Invoice): ...

        @get("/ledger")
        async def ledger(self) -> int:
            await self.mails.send(Order(1, "DE", 1.0))
            return 1
"""


@pytest.fixture
def rooms(plant: Write) -> None:
    plant("rooms.py", ROOMS)


@pytest.mark.usefixtures("rooms")
def test_each_connection_of_a_list_has_its_own_line(check: Callable[..., list[Told]]) -> None:
    text = """
    services:
      shop:
        class: rooms:Shop
        connect:
          orders:
            - to: billing
              when: body.country == "DE"
            - to: ledger
              when: body.country == "FR"
            - nobody
            - other/service
            - {to: billing, when: "body.contry == 'DE'"}
      billing: {class: rooms:Billing}
      ledger: {class: rooms:Ledger}
"""
    found = {one["line"]: one["what"] for one in check(text=text)}
    assert found[line_of(text, "to: ledger")].startswith("ledger does not handle Order")
    assert found[line_of(text, "- nobody")] == 'there is no service "nobody"'
    assert found[line_of(text, "other/service")] == 'there is no flow "other" beside this one'
    assert found[line_of(text, "contry")] == 'the body has no field "contry"'
    assert len(found) == 4


# Python -------------------------------------------------------------------------------------------------------

HEAD = """\
from junctor import Flow, Service, action, get, run, setting


class S(Service):
    n: int = setting(3, le=10)

    @action
    def a(self): ...


"""


@pytest.mark.parametrize(
    ("written", "line", "what"),
    [
        ('flow = Flow("f").add(\n    S(m=3)\n)', 12, "S.m: there is no such setting"),
        ('flow = Flow("f").add(S(n=30))', 11, "S.n: 30 is above the maximum of 10"),
        ('flow = Flow("My Flow").add(S)', 11, "flow: 'My Flow' cannot be a name"),
        ('flow = Flow("f").add(3)', 11, ": 3 is not a service"),
        ('flow = Flow("f", http={"prt": 3}).add(S)', 11, "http.prt: there is no such word"),
        ('flow = Flow("f").add(S, pol=3)', 11, 'add(... pol=...): there is no argument "pol"'),
        ('flow = Flow("f").add(S, "My S")', 11, "f: 'My S' cannot be a name"),
        ("class T(Service):\n    @get('a')\n    def t(self): ...", 12, ": @get needs a path that begins with /"),
        (
            "class T(Service):\n    m = setting(3)\n    @action\n    def a(self): ...",
            12,
            "T.m: the setting has no type",
        ),
        ('if __name__ == "__main__":\n    run(S(m=3))', 12, "S.m: there is no such setting"),
        ("def make():\n    return S(m=3)\n\nflow = Flow('f').add(make())", 12, "S.m: there is no such setting"),
    ],
)
def test_what_python_raises_has_the_line_of_the_user(
    check: Callable[..., list[Told]], plant: Write, written: str, line: int, what: str
) -> None:
    plant("made.py", HEAD + written + "\n")
    (found,) = [one for one in check("made.py") if one["level"] == "error"]
    assert f"{found['where']}: {found['what']}".startswith(what)
    assert (found["file"], found["line"]) == ("made.py", line)


def test_so_it_has_when_a_flow_file_names_the_class(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("made.py", HEAD + "class T(Service):\n    @get('a')\n    def t(self): ...\n")
    (found,) = check(text="services: {t: {class: made:T}}\n")
    assert (found["file"], found["line"]) == ("made.py", 12)


def test_an_open_file_of_secrets_is_told_where_it_is_needed(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("secrets.env", "TOKEN=0123456789abcdef\n").chmod(0o644)
    text = SERVICES.replace("alarm:Alarm}", "alarm:Alarm,\n        settings: {token: '${secret:TOKEN}'}}")
    (found,) = check(text=text)
    assert found["what"] == "secrets.env: others may read this file of secrets: its mode is 0644"
    assert (found["file"], found["line"]) == ("flow.yaml", line_of(text, "TOKEN"))


# Nothing hides anything ---------------------------------------------------------------------------------------

MASKED = """
    services:
      shop:
        class: rooms:Shop
        connect: {orders: biling}
        retry: {attempts: 0, initial: sometimes}
        queue: {limit: 0, wait: -1}
      billing:
        class: rooms:Billing
        settings: {tax: 200}
        retry: {attempts: 0, initial: 60s}
        pool: "${NOT_SET}"
      ledger:
        class: rooms:Ledger
        connect: {mails: ledger}
        timeout: soon
      gone:
        class: rooms:Nobody
        pool: 0
        schedules: {poll: sometimes}
      alarm:
        class: alarm:Alarm
        settings:
          limit: "${NOT_SET}"
          label: on
          count: many
"""


@pytest.mark.usefixtures("rooms")
def test_no_error_hides_another(check: Callable[..., list[Told]]) -> None:
    text = MASKED
    found = [(one["line"], one["where"], one["what"]) for one in check(text=text, levels=("error",))]
    told = [
        ("biling", "shop.orders", 'there is no service "biling"'),
        ("sometimes}", "shop.retry.initial", "'sometimes' is not a duration"),
        ("attempts: 0, initial: sometimes", "shop.retry", "retry.attempts is 0"),
        ("limit: 0, wait", "shop.queue", "queue.limit is 0"),
        ("tax: 200", "billing.tax", "200.0 is above the maximum of 100"),
        ("60s", "billing.retry", "retry.attempts is 0"),
        ('pool: "${NOT_SET}"', "", "the variable NOT_SET is not set"),
        ("mails: ledger", "ledger.mails", "ledger does not handle Order"),
        ("timeout: soon", "ledger.timeout", "'soon' is not a duration"),
        ("rooms:Nobody", "gone.class", "there is no Nobody"),
        ("pool: 0", "gone.pool", "pool is 0"),
        ("poll: sometimes", "gone.schedules.poll", ""),
        ('limit: "${NOT_SET}"', "", "the variable NOT_SET is not set"),
        ("label: on", "alarm.label", "YAML reads on as true, not as text"),
        ("count: many", "alarm.count", ""),
    ]
    for word, where, what in told:
        at = (line_of(text, word), where)
        assert any(one[:2] == at and what in one[2] for one in found), (word, found)
    for what in ("retry.attempts is 0", "the retry waits must grow: 0 <= initial <= max and factor >= 1"):
        assert (line_of(text, "60s"), "billing.retry", what) in found
    assert (line_of(text, "wait: -1"), "shop.queue", "queue.wait is -1.0") in found
    assert len(found) == len(told) + 2


@pytest.mark.usefixtures("rooms")
def test_a_service_that_is_wrong_counts_for_the_nearest_word(check: Callable[..., list[Told]]) -> None:
    (found,) = [one for one in check(text=MASKED) if "biling" in one["what"]]
    assert found["fix"] == 'Did you mean "billing"?'
    (found,) = [one for one in check(text=MASKED.replace("biling", "gon")) if '"gon"' in one["what"]]
    assert found["fix"] == 'Did you mean "gone"?'


@pytest.mark.usefixtures("rooms")
def test_what_lacks_a_variable_has_no_echo(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "needs.py",
        """
        from junctor import Service, handler, setting
        from rooms import Order

        class Needs(Service):
            host: str = setting()

            @handler
            async def on_order(self, order: Order): ...
        """,
    )
    text = """
    services:
      shop: {class: rooms:Shop, connect: {orders: "${WHERE}"}}
      needs: {class: needs:Needs, settings: {host: "${HOST}"}}
      billing: {class: rooms:Billing}
"""
    assert [one["what"] for one in check(text=text)] == [
        "the variable WHERE is not set",
        "the variable HOST is not set",
    ]


def test_a_class_without_fields_is_no_body(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "opaque.py",
        """
        from junctor import Service, Target, every, handler

        class Plain: ...

        class Taker(Service):
            @handler
            def take(self, body: Plain): ...

        class Giver(Service):
            out: Target[Plain]

            @every("1s")
            async def give(self): ...
        """,
    )
    found = check("opaque.py", levels=("error",))
    assert {(one["where"], one["line"]) for one in found} == {("taker.take", 7), ("giver.out", 11)}
    assert all(one["what"].startswith("Plain cannot be the body of a message") for one in found)
    assert found[0]["fix"] == "Make it a dataclass, msgspec.Struct, attrs class or pydantic model."


@pytest.mark.usefixtures("rooms")
def test_two_classes_of_one_name_are_told_with_their_modules(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "halls.py",
        """
        from dataclasses import dataclass
        from junctor import Service, handler

        @dataclass
        class Order:
            number: int

        class Hall(Service):
            @handler
            async def on_order(self, order: Order): ...
        """,
    )
    text = """
    services:
      shop: {class: rooms:Shop, connect: {orders: hall}}
      hall: {class: halls:Hall}
"""
    (found,) = [one for one in check(text=text) if one["where"] == "shop.orders" and "handle" in one["what"]]
    assert found["what"] == "hall does not handle rooms.Order; it handles halls.Order"
    assert "import the one from the module of the other" in found["fix"]


def test_a_schema_needs_no_variables(plant: Write) -> None:
    plant(
        "needs.py",
        """
        from junctor import Service, every, setting

        class Needs(Service):
            host: str = setting()
            token: str = setting(secret=True)

            @every("1s")
            async def poll(self): ...
        """,
    )
    plant(
        "flow.yaml",
        """
        flow: ${NAME}
        services:
          needs: {class: needs:Needs, settings: {host: "${HOST}", token: "${secret:TOKEN}"}, pool: "${POOL}"}
        http: {port: "${THE_PORT}"}
        """,
    )
    from junctor.cli.schema import command as schema

    answer = CliRunner().invoke(schema, ["flow.yaml"], standalone_mode=False)
    assert answer.exception is None, answer.exception
    made = json.loads(answer.output)["properties"]["services"]["properties"]["needs"]["properties"]
    assert set(made["settings"]["properties"]) == {"host", "token"}
    assert set(made["schedules"]["properties"]) == {"poll"}


def test_a_class_in_a_variable_that_is_not_set_has_no_echo(check: Callable[..., list[Told]]) -> None:
    found = check(text="services:\n  alarm:\n    class: '${CLASS}'\n    pool: 0\n")
    assert [one["what"] for one in found] == ["the variable CLASS is not set", "pool is 0"]


# Conditions ---------------------------------------------------------------------------------------------------


def with_condition(condition: str) -> str:
    return f"""
    services:
      shop:
        class: rooms:Shop
        connect:
          orders:
            - ledgers
            - to: billing
              when: '{condition}'
      billing: {{class: rooms:Billing}}
      ledgers: {{class: rooms:Billing}}
"""


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize(
    ("condition", "what", "fix"),
    [
        ('body.total > "x"', "a value has another type than the operation needs (body.total is a number", "Compare"),
        ("body.country > 3", "a value has another type than the operation needs (body.country is a text)", "Compare"),
        ("body.country", "`body.country` is neither true nor false (body.country is a text)", "Compare it"),
        ("body.total + 1", "`body.total + 1` can never be evaluated", "1.0 for 1"),
        ('body.number.startsWith("A")', "can never be evaluated", "Compare"),
        ('body.country == "DE" && !(body.number > 3 || body.total > "x")', '`body.total > "x"` can never', "Compare"),
        ("body.number > 3 ? body.total : 1.0", "is neither true nor false", "Compare it"),
    ],
)
def test_a_condition_of_wrong_types_is_an_error(
    check: Callable[..., list[Told]], condition: str, what: str, fix: str
) -> None:
    text = with_condition(condition)
    (found,) = check(text=text)
    assert (found["level"], found["code"], found["where"]) == ("error", "condition", "shop.orders")
    assert what in found["what"] and fix in found["fix"]
    assert (found["file"], found["line"]) == ("flow.yaml", line_of(text, "when:"))


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize(
    ("condition", "warned"),
    [
        ('body.coupon.startsWith("A")', True),
        ('body.country == "DE" && body.coupon.startsWith("A")', True),
        ('body.country == "DE" || body.coupon > "A"', True),
        ('body.coupon != null && body.coupon.startsWith("A")', False),
        ('body.country == "DE" && body.coupon != null && body.coupon.startsWith("A")', False),
        ('body.coupon == null || body.coupon.startsWith("A")', False),
        ('body.coupon == null ? false : body.coupon.startsWith("A")', False),
        ('body.coupon == "A"', False),
    ],
)
def test_a_condition_that_looks_into_nothing_is_a_warning(
    check: Callable[..., list[Told]], condition: str, warned: bool
) -> None:
    found = check(text=with_condition(condition))
    assert [one["level"] for one in found] == ["warning"] * warned
    assert all("fails for messages whose coupon is null" in one["what"] for one in found)


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize(
    "condition",
    [
        "body.total > 3",
        "body.total > 3.5 && body.number % 2 == 0",
        "!(body.number > 3)",
        'body.country in ["DE", "FR"]',
        "int(body.country) > 3",
        "body.number / (body.number - 1) > 3",
        'key == "x" || headers["a"] == "b" || type == "Order"',
        "true",
    ],
)
def test_a_condition_that_can_hold_is_let_through(check: Callable[..., list[Told]], condition: str) -> None:
    assert check(text=with_condition(condition)) == []


def test_what_nobody_knows_of_a_body_is_no_error(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "loose.py",
        """
        import datetime, enum
        from dataclasses import dataclass
        from typing import Any, Literal
        from junctor import Service, Target, every, handler

        class Kind(enum.Enum):
            ONE = "one"

        @dataclass
        class Part:
            name: str
            inner: "Part | None" = None

        @dataclass
        class Loose:
            anything: Any
            either: int | str
            parts: list[Part]
            names: dict[str, int]
            at: datetime.datetime
            kind: Kind
            word: Literal["a", "b"]
            part: Part

        class Giver(Service):
            out: Target[Loose]

            @every("1s")
            async def give(self):
                await self.out.send(None)

        class Taker(Service):
            @handler
            async def take(self, loose: Loose): ...
        """,
    )
    conditions = [
        "body.anything > 3",
        'body.anything.deep.er == "x"',
        "body.either > 3",
        'body.either.startsWith("x")',
        "body.either == body.anything",
        'body.parts.exists(part, part.name == "x")',
        "body.names.x > 3",
        'timestamp(body.at) > timestamp("2020-01-01T00:00:00Z")',
        'body.kind == "one" && body.word.startsWith("a")',
        'body.part.name == "x"',
    ]
    wires = "".join(f"\n            - {{to: taker, when: {json.dumps(condition)}}}" for condition in conditions)
    text = f"""
    services:
      giver:
        class: loose:Giver
        connect:
          out:{wires}
      taker: {{class: loose:Taker}}
"""
    assert check(text=text) == []


# What is said over flows --------------------------------------------------------------------------------------


def test_a_wrong_value_of_a_file_of_variables_is_told_with_its_line(
    check: Callable[..., list[Told]], plant: Write
) -> None:
    plant("site.env", "# of this site\nLIMIT=abc\nCOUNT=2\n")
    text = """
    env_file: site.env
    services:
      monitor: {class: monitor:Monitor, connect: {readings: alarm}}
      alarm:
        class: alarm:Alarm
        settings:
          limit: "${LIMIT}"
          count: "${COUNT}"
        pool: "${LIMIT}"
    http: {port: "${LIMIT}"}
"""
    found = check(text=text)
    assert [one["line"] for one in found] == [line_of(text, "limit:"), line_of(text, "pool:"), line_of(text, "port:")]
    assert all(one["what"].endswith("; LIMIT is set at site.env:2") for one in found)


def test_an_overlay_over_several_flows_is_for_the_one_it_names(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("one.yaml", SERVICES.replace("plant", "one") + "    http: {path: /one}\n")
    plant("two.yaml", SERVICES.replace("plant", "two") + "    http: {path: /two}\n")
    plant("over.yaml", "flow: two\nservices: {alarm: {settings: {limit: 7}}}\n")
    plant("bare.yaml", "services: {alarm: {settings: {limit: 7}}}\n")
    plant("other.yaml", "flow: three\nservices: {alarm: {settings: {limit: 7}}}\n")

    def flows(overlay: str) -> list[Any]:
        return FlowArguments(("one.yaml", "two.yaml"), Overrides(overlays=(overlay,))).load()

    first, second = flows("over.yaml")
    assert [flow.name for flow in (first, second)] == ["one", "two"]
    assert [flow.item("alarm").spec().settings["limit"] for flow in (first, second)] == [80.0, 7.0]
    assert [path.name for path in second.source.files] == ["two.yaml", "over.yaml"]
    assert check("one.yaml", "two.yaml", "--overlay", "over.yaml") == []
    told = "bare.yaml:1: an overlay over several flows does not say which one it is for. Say in it which one it is for"
    with pytest.raises(ConfigurationError, match=told):
        flows("bare.yaml")
    assert [one["file"] for one in check("one.yaml", "two.yaml", "--overlay", "bare.yaml")] == ["bare.yaml"]
    with pytest.raises(ConfigurationError, match="other.yaml: the overlay is for none of the flows.*one, two"):
        flows("other.yaml")
    (found,) = check("one.yaml", "two.yaml", "--overlay", "other.yaml")
    assert found["what"] == "the overlay is for none of the flows"
    assert load("one.yaml", Overrides(overlays=("over.yaml",))).name == "two"  # of a single one it is the name


def test_a_change_of_one_of_several_flows_is_none_of_the_others(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("one.yaml", "flow: one\nservices: {alarm: {class: alarm:Alarm}}\n")
    plant("two.yaml", "flow: two\nservices: {watch: {class: alarm:Alarm}}\n")
    assert check("one.yaml", "two.yaml", "--set", "alarm.limit=5", levels=("error",)) == []
    (found,) = check("one.yaml", "two.yaml", "--set", "alarn.limit=5", levels=("error",))
    assert found["what"] == 'no flow has a service "alarn"' and 'Did you mean "alarm"' in found["fix"]


# Reactions ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("rooms")
def test_an_exception_that_nobody_knows_is_a_warning(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "pager.py",
        """
        import sqlite3
        from junctor import Service, handler
        from rooms import Order

        class PagerAway(Exception): ...

        class Pager(Service):
            @handler
            async def on_order(self, order: Order): ...
        """,
    )
    text = """
    services:
      shop: {class: rooms:Shop}
      pager:
        class: pager:Pager
        retry:
          on:
            ConnectionError: hold
            ConectionError: hold
            PagerAway: hold
            OperationalError: hold
            StateConflict: retry
            Qwertz: park
"""
    found = check(text=text)
    assert [(one["level"], one["where"], one["line"]) for one in found] == [
        ("warning", "pager.retry.on", line_of(text, " ConectionError")),
        ("warning", "pager.retry.on", line_of(text, "Qwertz")),
    ]
    assert "ConectionError" in found[0]["what"] and found[0]["fix"] == 'Did you mean "ConnectionError"?'
    assert found[1]["fix"] == "Write the name of the class."


def test_two_flows_of_one_name_have_a_line_though_one_is_wrong(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("one.yaml", "services: {alarm: {class: alarm:Alarm}}\nflow: plant\n")
    plant("two.yaml", "services: {alarm: {class: alarm:Alarm, pool: 0}}\nx-more: 1\nflow: plant\n")
    (found,) = [one for one in check("one.yaml", "two.yaml") if "has this name" in one["what"]]
    assert (found["file"], found["line"]) == ("one.yaml", 2)


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize(
    ("condition", "count"),
    [('body.number > "x"', 1), ('type == "Order" && body.total > 3', 0), ('type == "Invoice" || body.total > "x"', 0)],
)
def test_a_condition_over_several_types_must_fail_for_each(
    check: Callable[..., list[Told]], plant: Write, condition: str, count: int
) -> None:
    plant(
        "either.py",
        """
        from junctor import Service, Target, every, handler
        from rooms import Invoice, Order

        class Giver(Service):
            out: Target[Order | Invoice]

            @every("1s")
            async def give(self):
                await self.out.send(Invoice(1))

        class Taker(Service):
            @handler
            async def on_order(self, order: Order): ...

            @handler
            async def on_invoice(self, invoice: Invoice): ...
        """,
    )
    text = f"""
    services:
      giver: {{class: either:Giver, connect: {{out: {{to: taker, when: {json.dumps(condition)}}}}}}}
      taker: {{class: either:Taker}}
"""
    assert [one["level"] for one in check(text=text)] == ["error"] * count


def test_an_error_class_of_the_user_has_the_line_too(check: Callable[..., list[Told]], plant: Write) -> None:
    plant(
        "own.py",
        """
        from junctor.errors import ConfigurationError

        class Own(ConfigurationError):
            def __init__(self): super().__init__("this machine is too small")

        raise Own()
        """,
    )
    (found,) = check("own.py")
    assert (found["what"], found["file"], found["line"]) == ("this machine is too small", "own.py", 7)


def test_a_port_of_a_file_of_variables_is_told_with_its_line(check: Callable[..., list[Told]], plant: Write) -> None:
    plant("site.env", "THE_PORT=99999\n")
    (found,) = check(text=SERVICES + '    env_file: site.env\n    http: {port: "${THE_PORT}"}\n')
    assert found["what"] == "99999 is above the maximum of 65535; THE_PORT is set at site.env:1"
