"""A session while it happens, after a kill, and as a capture: with the command line, on a real node."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable

from junctor.testing import load_capture
from tests.integration.node.conftest import PATIENCE, Junctor


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_what_is_in_flight_and_what_a_kill_leaves(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    junctor.here("send", "alarm", '{"text": "wait"}', "--type", "Note")
    until(lambda: "in flight for" in junctor.here("trace", "1"))
    junctor.here("send", "alarm", '{"text": "block"}', "--type", "Note")
    junctor.here("send", "alarm", '{"text": "last"}', "--type", "Note")
    until(lambda: "in flight for" in junctor.here("trace", "2"))
    assert "on_note" in junctor.here("trace", "2") and "on_note for" in junctor.here("trace", "2", "--tree")
    (hop,) = junctor.json("trace", "2")["hops"]
    assert hop["in_hand"]["handler"] == "on_note" and hop["tries"] == 5
    assert "Note  ready" in junctor.here("trace", "3"), "its turn has not come"
    node.process.kill()
    node.process.wait()
    assert "was in hand when the node ended" in junctor.here("trace", "2")


def test_a_session_as_a_file(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    junctor.here("call", "monitor", "measure", "value=91")
    until(lambda: junctor.json("trace", "1")["hops"][-1]["message"]["status"] == "done")
    session = junctor.json("trace", "1")["session"]
    assert "is written" not in junctor.here("capture", "1")
    file = junctor.folder / f"{session}.capture.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    capture = load_capture(file)
    assert capture.session == session and capture.asked == 1 and capture.node.running
    assert [(hop.kind, hop.type, hop.target) for hop in capture.hops] == [
        ("action", "measure", "machine/monitor"),
        ("send", "Reading", "machine/alarm"),
    ]
    assert [log.text for log in capture.hops[1].logs] == ["judging cpu"]
    alarm = next(one for one in capture.services if one.address == "machine/alarm")
    assert alarm.settings == {"limit": 70.0} and alarm.code.file == "machine.py"
    assert capture.flows[0].name == "machine"
    assert json.loads(junctor.here("capture", session[:12], "-o", "-"))["session"] == session
    assert "no folder" in junctor.here("capture", "1", "-o", "no/where.json", code=1)
    assert "neither a message id nor a session" in junctor.here("capture", "hello", code=1)
    assert "no message and no session 999" in junctor.here("capture", "999", code=1)
    junctor.here("stop")
    node.ends(0)
    junctor.here("capture", "1", "-o", "later.json")
    later = load_capture(junctor.folder / "later.json")
    assert later.hops == capture.hops and later.services == [] and "was down" in later.missing[0]


def test_two_sessions_that_begin_alike_are_listed(junctor: Junctor) -> None:
    node = junctor.start("machine.py", "--port", "0")
    for _ in range(2):
        junctor.here("send", "alarm", '{"text": "x"}', "--type", "Note")
    common = junctor.json("messages")[0]["session"][:10]
    for command in ("trace", "capture"):
        assert f"sessions begin or end with {common}" in junctor.here(command, common, code=1)
    junctor.here("stop")
    node.ends(0)
