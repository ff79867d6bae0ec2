"""command: programs that read, print, fail, hang, print without end and leave children behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from junctor import Flow
from junctor.adapters import Command
from junctor.errors import ProgramFailed, SettingError
from junctor.testing import running

PYTHON = sys.executable


def ran(body: Any, code: str, *arguments: str, **settings: Any) -> Any:
    """What a request to the program is answered."""
    flow = Flow("f").add(Command(program=[PYTHON, "-c", code, *arguments], **settings), retry={"attempts": 1})
    with running(flow, patience=20) as plant:
        return plant.request("command", body)


def parked(told: str, body: Any, code: str, *arguments: str, **settings: Any) -> None:
    """Run it for a message that is parked for this reason."""
    flow = Flow("f").add(Command(program=[PYTHON, "-c", code, *arguments], **settings), retry={"attempts": 1})
    with running(flow, patience=20) as plant, plant.expect_parked(match=told):
        plant.send("command", body)


def test_the_body_is_its_input_and_what_it_prints_the_reply() -> None:
    assert ran({"a": 1}, "import sys; print(sys.stdin.read().upper())") == '{"A":1}'


def test_json_in_and_out() -> None:
    code = "import sys, json; print(json.dumps([json.load(sys.stdin)['a'], 2]))"
    assert ran({"a": "x"}, code, output="json") == ["x", 2]


def test_text_lines_and_fields() -> None:
    code = "import sys; print(sys.stdin.read()); print('b')"
    assert ran({"a": "x"}, code, input="text", text="body.a", output="lines") == ["x", "b"]
    assert ran({}, "print(5)", fields={"n": "int(response.output)", "code": "response.code"}) == {"n": 5, "code": 0}


def test_arguments_are_not_read_by_a_shell() -> None:
    body = {"a": "$(touch x); 'y' \"z\""}
    assert ran(body, "import sys; print(sys.argv[1])", "{body.a}") == body["a"]


def test_an_argument_is_no_option() -> None:
    parked("would be read as an option", {"a": "--delete"}, "print(1)", "{body.a}")


def test_it_knows_the_effect_and_nothing_secret_of_the_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "secret")
    usual = "PATH HOME LANG LC_ALL LC_CTYPE TZ TMPDIR USER"
    code = f"import os; print(sorted(set(os.environ) - set({usual!r}.split())))"
    assert ran({}, code, environment={"X": "1"}) == "['JUNCTOR_EFFECT', 'JUNCTOR_SESSION', 'X']"


def test_a_failure_tells_what_it_complained_of() -> None:
    flow = Flow("f").add(Command(program=[PYTHON, "-c", "import sys; sys.exit('no such item')"]), retry={"attempts": 1})
    with running(flow, patience=20) as plant, plant.expect_parked(ProgramFailed, match="it ended with code 1"):
        plant.send("command", {})
        assert any("no such item" in str(line) for line in plant.logs)


def test_codes_say_what_becomes_of_a_message() -> None:
    parked("ended with code 3", {}, "raise SystemExit(3)", codes={"3": "park"})
    assert ran({}, "print('x'); raise SystemExit(4)", codes={"4": "done"}) == "x"


def test_one_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time, pathlib\nwhile True: pathlib.Path({str(mark)!r}).touch(); time.sleep(0.05)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {child!r}]); time.sleep(60)"
    parked("it did not end within 1 s", {}, code, timeout="1s")
    mark.unlink(missing_ok=True)
    time.sleep(0.3)
    assert not mark.exists()


def test_one_that_prints_without_end_is_ended() -> None:
    parked("it printed more than 100000 bytes", {}, "while True: print('x' * 1000)", limit=100_000)


def test_one_that_does_not_read_its_input() -> None:
    assert ran({"a": "x" * 1_000_000}, "print(1)") == "1"


def test_what_it_prints_is_not_what_was_expected() -> None:
    parked("is not json", {}, "print('hello')", output="json")
    parked("is not text", {}, "import sys; sys.stdout.buffer.write(bytes([255]))")


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"program": ["no-such-program-here"]}, 'there is no program "no-such-program-here"'),
        ({"program": []}, "shorter than 1"),
        ({"program": [PYTHON, "{topic}"]}, 'there is no "topic" here'),
        ({"program": [PYTHON], "codes": {"300": "park"}}, '"300" is no exit code'),
        ({"program": [PYTHON], "codes": {"\u00b2": "park"}}, "is no exit code"),
        ({"program": [PYTHON], "text": "body.a"}, "input: text alone"),
        ({"program": [PYTHON], "folder": "/no/such"}, "there is no folder /no/such"),
        ({"program": ["./none"], "folder": "/"}, 'there is no program "./none"'),
    ],
)
def test_what_does_not_fit(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Command(**settings)


@pytest.mark.parametrize("by_path", [False, True])
def test_a_program_is_looked_for_where_it_is_started(tmp_path: Path, by_path: bool) -> None:
    program = tmp_path / "hello"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)
    usual = f"{tmp_path}:/usr/bin:/bin"
    settings: dict[str, Any] = {"folder": tmp_path} if by_path else {"environment": {"PATH": usual}}
    flow = Flow("f").add(Command(program=["./hello" if by_path else "hello"], **settings))
    with running(flow, patience=20) as plant:
        assert plant.request("command", {}) == "hello"


def test_lines_of_its_errors_are_whole_and_bounded(caplog: pytest.LogCaptureFixture) -> None:
    code = "import sys, os, time; w = sys.stderr.buffer; w.write(b'one \\xc3'); w.flush(); time.sleep(0.05)"
    code += "; w.write(b'\\xa4\\n' + b'x' * 1_000_000 + b'\\nlast')"
    ran({}, code)
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith(PYTHON)]
    assert told[0] == f"{PYTHON}: one ä" and told[-1] == f"{PYTHON}: last"
    assert len(told) == 3 and max(map(len, told)) < 3000


@pytest.mark.parametrize("group", [False, True])
def test_a_child_that_goes_on_keeps_nobody_waiting(group: bool) -> None:
    code = f"import subprocess as s; p = s.Popen(['sleep', '30'], start_new_session={group}); print(p.pid)"
    began = time.monotonic()
    child = int(ran({}, code, timeout="20s"))
    assert time.monotonic() - began < 15
    if group:
        os.kill(child, signal.SIGKILL)


def test_a_time_limit_holds_where_a_child_has_the_pipes() -> None:
    code = "import subprocess as s, time; s.Popen(['sleep', '5'], start_new_session=True); time.sleep(20)"
    began = time.monotonic()
    parked("did not end within 0.5 s", {}, code, timeout="0.5s")
    assert time.monotonic() - began < 15
