"""One node, and every command against it, running and stopped."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.node.conftest import SERVICES, Junctor


@pytest.fixture(scope="module")
def node() -> Iterator[Junctor]:
    """One node for all tests of this file; none of them stops it."""
    folder = Path(tempfile.mkdtemp(prefix="jn-", dir="/tmp"))
    (folder / "machine.py").write_text(SERVICES)
    junctor = Junctor(folder)
    started = junctor.start("machine.py", "--port", "0", "--set", "alarm.limit=75")
    junctor("send", "alarm", '{"sensor": "disk", "value": -1}', "--type", "Reading")
    until(lambda: bool(junctor.json("parked")))
    yield junctor
    started.process.terminate()
    assert started.process.wait(15) == 0, started.said
    shutil.rmtree(folder)


def until(true: Callable[[], bool]) -> None:
    """Wait for what the node does by itself."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def words(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_status(node: Junctor) -> None:
    text = words(node.here("status"))
    assert re.search(r"node [0-9a-f]{12} running flow machine pid \d+ up", text)
    assert "store " + str(node.folder / ".junctor" / "machine") in text
    assert "monitor running" in text
    status = node.json("status")
    assert status["state"] == "running"
    assert status["transport"] == "sqlite"
    assert [service["service"] for service in status["services"]] == ["monitor", "alarm"]
    assert node.json("status")["urls"][0].startswith("http://127.0.0.1:")


def test_files_are_private(node: Junctor) -> None:
    directory = node.folder / ".junctor" / "machine"
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "control.sock").stat().st_mode) == 0o600
    assert (node.folder / ".junctor" / ".gitignore").read_text() == "*\n"


def test_services(node: Junctor) -> None:
    text = node.here("services")
    assert "machine/alarm" in text
    assert "Judges readings." in text
    assert "handler on_reading(Reading) -> Verdict" in text
    assert "action measure(value, [sensor])  Pretend to have measured." in text
    assert "readings leads to machine/alarm" in text
    assert "limit = 75" in text
    assert {"monitor", "alarm"} == {service["service"] for service in node.json("services")}


def test_call(node: Junctor) -> None:
    assert node.here("call", "alarm", "get-limit") == "75.0\n"
    assert node.here("call", "alarm", "get_limit", "--json") == "75.0\n"
    assert node.here("call", "monitor", "measure", "value=50") == "sent 50.0\n"
    assert node.here("call", "machine/monitor", "measure", "value=5e1", "sensor=7") == "sent 50.0\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("messages", "--status", "prked"), 'no status "prked". Did you mean "parked"'),
        (("messages", "--limit", "0"), "0 is not in the range"),
        (("messages", "--since", "soon"), "soon"),
        (("logs", "--level", "loud"), "loud"),
        (("parked", "--limit", "0"), "0 is not in the range"),
        (("send", "alarm", "{bad"), "the body is not JSON"),
        (("send", "alarm", "1", "--delay", "soon"), "soon"),
        (("call", "alarm", "get-limit", "x"), 'argument "x" has no value'),
    ],
)
def test_what_is_wrong_whatever_the_node_says_is_2(node: Junctor, command: tuple[str, ...], said: str) -> None:
    text = node.here(*command, code=2)
    assert text.startswith("junctor: ")
    assert text.count("\n") == 1
    assert said in text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("call", "alram", "get-limit"), 'no service "alram". Did you mean "alarm"'),
        (("call", "alarm", "get-limits"), 'no action "get-limits". Did you mean "get_limit"'),
        (("call", "monitor", "measure", "valeu=5"), 'no parameter "valeu". Did you mean "value"'),
        (("call", "monitor", "measure"), '"value" is missing. It takes value, [sensor]'),
        (("call", "monitor", "measure", "value=high"), "measure.value: Expected `float`"),
        (("call", "alarm", "crash"), "machine/alarm.crash: ValueError: by hand"),
        (("call", "alarm", "leave"), "machine/alarm.leave: SystemExit: 3"),
        (("send", "alarm", "1"), "handles 2 types. Name one with --type: Reading, Note"),
        (("send", "alarm", "1", "--type", "Raeding"), 'no handler for "Raeding". Did you mean "Reading"'),
        (("send", "alarm", '{"sensor": "a", "value": "b"}', "--type", "Reading"), "Reading.value"),
        (("send", "monitor", "1"), "the service has no handler"),
        (("messages", "--service", "alarn"), 'no service "alarn". Did you mean "alarm"'),
        (("messages", "--until", "9999-12-30"), "9999-12-30"),
        (("messages", "--type", "Raeding"), 'no type "Raeding". Did you mean "Reading"'),
        (("parked", "--service", "alarn"), 'no service "alarn". Did you mean "alarm"'),
        (("parked", "zzz"), 'no parked messages have the place "zzz"'),
        (("trace", "hello"), "neither a message id nor a session"),
        (("trace", "999999"), "no message and no session 999999"),
        (("trace", "0123456789abcdef0123456789abcdef"), "nothing of session"),
        (("logs", "--service", "alarn"), 'no service "alarn". Did you mean "alarm"'),
        (("trace", "abcdefabcdef-1"), "no message abcdefabcdef-1"),
        (("status", "--node", "machin"), 'no node "machin". Did you mean "machine"'),
    ],
)
def test_a_wrong_word_is_one_line_with_the_way_out(node: Junctor, command: tuple[str, ...], said: str) -> None:
    text = node.here(*command, code=1)
    assert text.startswith("junctor: ")
    assert text.count("\n") == 1
    assert said in text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("statsu",), 'no command "statsu". Did you mean "status"'),
        (("status", "--jsn"), "--json"),
        (("send", "alarm", "hello"), """the body is not JSON"""),
        (("send", "alarm", "@nowhere.json"), "nowhere.json cannot be read"),
        (("send", "alarm", "1", "--delay", "soon"), "not a duration"),
        (("call", "alarm", "get-limit", "x"), "write x=value"),
        (("messages", "--since", "yesterday"), "not a time"),
        (("messages", "extra"), "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line(node: Junctor, command: tuple[str, ...], said: str) -> None:
    text = node.here(*command, code=2)
    assert text.count("\n") == 1
    assert said.lower() in text.lower()


def test_send_and_find_it_again(node: Junctor) -> None:
    receipt = node.json("send", "alarm", '{"text": "hello"}', "--type", "Note", "--header", "from=me", "--key", "k1")
    trace = node.json("trace", receipt["id"])
    assert trace["session"] == receipt["session"]
    (hop,) = trace["hops"]
    assert hop["body"] == {"text": "hello"}
    assert hop["headers"] == {"from": "me"}
    assert hop["message"]["key"] == "k1"
    assert hop["message"]["source"].endswith("client")
    seq = receipt["id"].rpartition("-")[2]
    assert node.json("trace", seq)["session"] == receipt["session"]
    assert node.json("trace", receipt["session"])["session"] == receipt["session"]
    assert node.json("trace", receipt["session"][-9:])["session"] == receipt["session"]
    assert node.json("messages", "--session", receipt["session"], "--service", "alarm")[0]["id"] == receipt["id"]


def test_the_same_idempotency_key_is_accepted_once(node: Junctor) -> None:
    command = ("send", "alarm", '{"text": "once"}', "--type", "Note", "--idempotency-key", "order-17")
    first = node.json(*command)
    assert "accepted earlier as" in node.here(*command)
    assert node.json(*command)["id"] == first["id"]


def test_a_body_from_a_file_and_from_standard_input(node: Junctor) -> None:
    (node.folder / "body.json").write_text('{"sensor": "cpu", "value": 99}')
    assert node.here("request", "alarm", "@body.json", "--type", "Reading") == '{\n  "high": true\n}\n'
    reply = node("request", "alarm", "-", "--type", "Reading", "--json", text='{"sensor": "cpu", "value": 1}')
    assert reply == '{\n  "high": false\n}\n'


def test_a_delayed_message_waits(node: Junctor) -> None:
    receipt = node.json("send", "alarm", '{"text": "later"}', "--type", "Note", "--delay", "1h")
    hop = node.json("trace", receipt["id"])["hops"][0]
    assert hop["message"]["status"] == "waiting"
    assert hop["message"]["due"] > hop["message"]["time"]
    assert receipt["id"] in [message["id"] for message in node.json("messages", "--status", "waiting")]


def test_a_request_that_takes_too_long(node: Junctor) -> None:
    text = node.here("request", "alarm", '{"text": "wait"}', "--type", "Note", "--timeout", "200ms", code=1)
    assert "trace" in text


def test_the_trace_follows_cause_and_effect(node: Junctor) -> None:
    node.here("call", "monitor", "measure", "value=91", "sensor=fan")
    sent = node.json("messages", "--service", "monitor", "--type", "Reading", "--limit", "1")[0]
    until(lambda: node.json("trace", sent["id"])["hops"][1]["message"]["status"] == "done")
    first, second = node.json("trace", sent["id"])["hops"]
    assert first["message"]["kind"] == "action"
    assert (second["depth"], second["cause"]) == (1, first["message"]["seq"])
    assert second["message"]["source"] == "machine/monitor"
    assert [log["text"] for log in second["logs"]] == ["judging fan"]
    text = node.here("trace", sent["session"], "--tree")
    assert text.splitlines()[0].startswith(f"session {sent['session']}")
    assert re.search(r"\n\d+ +\+0\.0\d\d +  machine/monitor -> machine/alarm Reading +done", text)
    assert "info: judging fan" in text
    text = node.here("trace", sent["id"], "--tree")
    assert re.search(r"\n  \d+ +\+0\.0\d\d +machine/monitor action", text)
    assert re.search(r"\n> \d+ +\+0\.0\d\d +  machine/monitor -> machine/alarm Reading +done", text)
    assert node.here("trace", sent["id"], "--session") == node.here("trace", sent["session"])


def test_a_trace_is_a_sequence_where_it_fits(node: Junctor) -> None:
    node.here("call", "monitor", "measure", "value=91", "sensor=belt")
    sent = node.json("messages", "--service", "monitor", "--type", "Reading", "--limit", "1")[0]
    until(lambda: node.json("trace", sent["id"])["hops"][1]["message"]["status"] == "done")
    heading, titles, *steps = node.here("trace", sent["id"]).splitlines()
    assert heading.startswith(f"session {sent['session']}")
    assert titles.split() == ["caller", "monitor", "alarm"]
    assert re.search(r"> \d+ \+0\.0\d\d .* Reading  done \d+ [mu]s", "\n".join(steps))
    assert "judging belt" in node.here("trace", sent["id"], "--logs")
    file = node.folder / "belt.svg"
    node.here("trace", sent["id"], "-o", str(file))
    assert file.read_text().startswith("<svg ") and "Reading" in file.read_text()
    assert node.here("trace", sent["id"], "--mermaid").startswith("sequenceDiagram")
    assert "the ending" in node.here("trace", sent["id"], "-o", "belt.pdf", code=2)
    assert "Reading  done" in node.here("trace", sent["id"], "--follow")


def test_parked(node: Junctor) -> None:
    (group,) = node.json("parked")
    assert (group["service"], group["type"], group["error"], group["count"]) == ("machine/alarm", "Reading", "Park", 1)
    text = node.here("parked")
    assert "Park: negative \\x1b[31mvalue" in text
    assert group["command"] in text
    shown = node.here(*group["command"].split()[1:], "-v")
    assert "parked" in shown
    assert "on_reading" in shown
    assert "\x1b" not in shown
    assert "junctor parked" in node.here("status")
    assert (group["body"], group.get("members")) == ({"sensor": "disk", "value": -1}, None)
    (member,) = node.json("parked", group["fingerprint"][:6])[0]["members"]
    assert (member["seq"], member["body"]) == (group["latest"], group["body"])
    for command in (("parked", "--members"), ("parked", "--members", "--service", "alarm")):
        assert '{"sensor":"disk","value":-1' in node.here(*command)
    assert node.here("parked", "--service", "monitor") == "nothing is parked\n"


def test_alerts(node: Junctor) -> None:
    assert "parked" in node.here("alerts")


def test_messages_as_a_table_and_as_json(node: Junctor) -> None:
    lines = node.here("messages", "--status", "parked", "--since", "1h").splitlines()
    assert lines[0].split()[:4] == ["seq", "time", "from", "to"]
    assert "Park: negative" in lines[1]
    assert node.json("messages", "--status", "parked")[0]["body"] == {"sensor": "disk", "value": -1}
    assert node.json("messages", "--status", "held") == []
    assert node.json("messages", "--status", "parked", "--until", "1h") == []
    assert "no messages" in node.here("messages", "--until", "1h")


def test_http(node: Junctor) -> None:
    url = node.json("status")["urls"][0]
    for path, body in (("/limit", b"75.0"), ("/health/live", b'{"status":"alive"}')):
        with urllib.request.urlopen(url + path) as answer:
            assert answer.read() == body


def test_help_and_version(node: Junctor) -> None:
    assert "messages" in node.here("--help")
    assert "TARGET" in node.here("run", "--help")
    assert node("--version").startswith("junctor ")


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("messages", "--before", str(10**23)), "is not in the range"),
        (("messages", "--limit", str(10**23)), "is not in the range"),
        (("messages", "--since", "0001-01-01T00:00:00+10:00"), "is not a time"),
        (("send", "alarm", "1", "--delay", "1e300"), "between 0 and 300 years"),
    ],
)
def test_a_number_beyond_all_bounds(node: Junctor, command: tuple[str, ...], said: str) -> None:
    assert said in node.here(*command, code=2)
