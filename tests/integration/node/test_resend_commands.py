"""Parked messages as an operator deals with them on the command line, with a node in a process of its own."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.node.conftest import Junctor, Running

SERVICES = """
import os, time
from dataclasses import dataclass
from junctor import Park, Service, handler, run


@dataclass(frozen=True)
class Mail:
    to: str
    copies: int = 1


class Mailer(Service):
    @handler
    def on_mail(self, mail: Mail) -> None:
        if not os.path.exists("open"):
            raise Park(f"{mail.to} is no address")
        while os.path.exists("slow"):
            time.sleep(0.01)
        with open("sent", "a") as file:
            file.write(f"{mail.to} {mail.copies} {self.message.effect}\\n")


if __name__ == "__main__":
    run(Mailer())
"""


@pytest.fixture
def junctor(short_dir: Path, make_junctor: Callable[[Path], Junctor]) -> Junctor:
    (short_dir / "mail.py").write_text(SERVICES)
    return make_junctor(short_dir)


def parked(junctor: Junctor, count: int) -> Running:
    """A node with so many parked messages; the mailer is open then."""
    running = junctor.start("mail.py")
    for number in range(count):
        junctor.here("send", "mailer", f'{{"to": "m{number}"}}')
    until(lambda: sum(group["count"] for group in junctor.json("parked")) == count)
    (junctor.folder / "open").touch()
    return running


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def sent(junctor: Junctor) -> list[str]:
    path = junctor.folder / "sent"
    return path.read_text().splitlines() if path.exists() else []


def give_editor(junctor: Junctor, script: str) -> None:
    """Let the user have an editor that does this to the file it is given."""
    path = junctor.folder / "editor"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    junctor.env["VISUAL"] = str(path)


class Terminal:
    """A command on a terminal."""

    def __init__(self, junctor: Junctor, *words: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "junctor", *words]
        self._process = subprocess.Popen(
            command, cwd=junctor.folder, env=junctor.env, stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.said = ""

    def wait_for(self, text: str) -> None:
        while text not in self.said:
            self.said += os.read(self._master, 4096).decode()

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def ends_by(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        assert self._process.wait(10) == 128 + number
        os.close(self._master)

    def ends(self, code: int) -> None:
        try:
            while data := os.read(self._master, 4096):
                self.said += data.decode()
        except OSError:  # how Linux says that nobody has the terminal any more
            pass
        os.close(self._master)
        assert self._process.wait(10) == code, self.said


def test_one_after_the_other(junctor: Junctor) -> None:
    parked(junctor, 12)
    [group] = junctor.json("parked")
    assert f"junctor resend --group {group['fingerprint'][:8]}" in junctor.here("parked")
    assert "12 messages would be sent again" in junctor.here("resend", "--service", "mailer", "--dry-run")
    assert ": done in " in junctor.here("resend", "1")
    assert "was sent again already" in junctor.here("resend", "1", code=1)
    assert "--field" in junctor.here("resend", "--field", "copies", code=2)
    assert junctor.json("resend", "--field", "to=m1")["sent"] == 1
    assert "10 of 10 sent again, 10 handled" in junctor.here("resend", "--group", group["fingerprint"][:6])
    assert "nothing fits, nothing was sent" in junctor.here("resend", "--error", "Park")
    assert len({line.split()[2] for line in sent(junctor)}) == len(sent(junctor)) == 12
    assert [job["total"] for job in junctor.json("resend", "--jobs")] == [10, 1, 1]


def test_failures_are_told_with_the_next_step(junctor: Junctor) -> None:
    parked(junctor, 3)
    (junctor.folder / "open").unlink()
    said = junctor.here("resend", "2", code=1)
    assert "parked" in said and "Park: m1 is no address" in said and "junctor trace 4" in said
    said = junctor.here("resend", "--service", "mailer", code=1)
    assert "stopped: 1 of 1 of the last batch failed, more than 20%" in said
    assert "2 messages not sent" in said
    found = junctor.here("resend", "--service", "mailer", "--json", "--stop-at", "100%", code=1)
    assert json.loads(found)["failed"] == 3


def test_wrong_words(junctor: Junctor) -> None:
    parked(junctor, 2)
    for words in (
        (),
        ("x1",),
        ("1", "--service", "mailer"),
        ("1", "2", "--edit"),
        ("1", "--edit", "--set", "to=x"),
        ("1", "--rate", "fast"),
        ("1", "--stop-at", "120%"),
        ("1", "--body", "{"),
        ("1", "--jobs"),
        ("--status", "ready"),
        ("--since", ""),
    ):
        junctor.here("resend", *words, code=2)
    assert "a rate is below 1,000,000,000 a second" in junctor.here("resend", "1", "--rate", "1000000000/s", code=2)
    assert '"-1" is not a message' in junctor.here("resend", "--", "-1", code=2)
    assert "-1" in junctor.here("note", "--", "-1", "text", code=1)
    assert 'argument 3 is not UTF-8: "\\xff"' in junctor.here("note", "1", os.fsdecode(b"\xff"), code=2)
    for word in ("--group", "--service", "--error", "--text"):
        assert "is empty" in junctor.here("resend", word, "", code=1)
        assert "is empty" in junctor.here("discard", "--yes", "--type", "Mail", word, "", code=1)
    assert 'Did you mean "mailer"' in junctor.here("resend", "--service", "mailr", code=1)
    assert "no message 99 is stored here" in junctor.here("resend", "99", code=1)
    assert not sent(junctor)


def test_an_edit_goes_through_the_editor(junctor: Junctor) -> None:
    parked(junctor, 2)
    give_editor(junctor, """sed -i 's/"copies": 1/"copies": "two"/' "$1" """)
    said = junctor.here("resend", "1", "--edit", code=1)
    assert "Mail.copies: the body is not a valid Mail: Expected `int`, got `str`" in said
    kept = Path(said.rpartition("--body @")[2].strip().rstrip("."))
    assert json.loads(kept.read_text()) == {"to": "m0", "copies": "two"}
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text('{"to": "new",\n "copies": 5}\n')
    assert ": done" in junctor.here("resend", "1", "--body", f"@{kept}")
    kept.unlink()
    give_editor(junctor, """sed -i 's/"copies": 1/"copies": 2/' "$1" """)
    assert ": done" in junctor.here("resend", "2", "--edit")
    assert [line.rsplit(maxsplit=1)[0] for line in sent(junctor)] == ["new 5", "m1 2"]
    give_editor(junctor, "true")
    assert "nothing was changed" in junctor.here("resend", "2", "--edit", "--again", code=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_edit_that_is_killed_leaves_no_file(junctor: Junctor, number: signal.Signals) -> None:
    parked(junctor, 1)
    junctor.env["TMPDIR"] = str(junctor.folder / "tmp")
    (junctor.folder / "tmp").mkdir()
    give_editor(junctor, 'ls -ld "$(dirname "$1")" "$1" | cut -c1-10 > opened; exec sleep 5')
    terminal = Terminal(junctor, "resend", "1", "--edit")
    opened = junctor.folder / "opened"
    until(lambda: opened.exists() and len(opened.read_text().splitlines()) == 2)
    assert sorted(opened.read_text().split()) == ["-rw-------", "drwx------"]
    assert len(list((junctor.folder / "tmp").iterdir())) == 1
    terminal.ends_by(number)
    assert not list((junctor.folder / "tmp").iterdir())
    assert not sent(junctor)


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("""echo '{"to": "x", "copies": NaN}' > "$1" """, "not JSON"),
        ("""printf '%99999s' | tr ' ' '[' > "$1" """, "nested too deeply"),
        (""": > "$1" """, "not JSON"),
        (r"""printf '\377\376' > "$1" """, "not UTF-8"),
        ("""rm "$1" """, "left no file"),
    ],
)
def test_an_edit_that_is_no_json_is_told_of(junctor: Junctor, script: str, problem: str) -> None:
    parked(junctor, 1)
    give_editor(junctor, script)
    said = junctor.here("resend", "1", "--edit", code=1)
    assert problem in said and "Traceback" not in said
    if "--body @" in said:
        Path(said.rpartition("--body @")[2].strip().rstrip(".")).unlink()
    assert not sent(junctor)


def test_a_body_from_standard_input_is_kept_where_it_does_not_fit(junctor: Junctor) -> None:
    parked(junctor, 1)
    said = junctor("resend", "1", "--body", "-", code=1, text='{"to": null}\n')
    kept = Path(said.rpartition("--body @")[2].strip().rstrip("."))
    assert kept.read_text() == '{"to": null}\n'
    kept.unlink()
    assert ": done" in junctor("resend", "1", "--body", "-", text='{\n  "to": "x"\n}\n')
    assert "accepted" in junctor("send", "mailer", "-", text='{\n  "to": "y"\n}\n')


def test_ctrl_c_asks_and_stops_by_default(junctor: Junctor) -> None:
    parked(junctor, 9)
    (junctor.folder / "slow").touch()
    terminal = Terminal(junctor, "resend", "--service", "mailer")
    terminal.wait_for("1 of 9 sent")
    terminal.interrupt()
    terminal.wait_for("go on watching")
    terminal.type("\r")
    terminal.ends(1)
    assert "stopped: stopped by" in terminal.said and "8 messages not sent" in terminal.said
    (junctor.folder / "slow").unlink()
    until(lambda: len(sent(junctor)) == 1)
    assert [group["count"] for group in junctor.json("parked")] == [8]


def test_a_job_is_left_to_itself(junctor: Junctor) -> None:
    parked(junctor, 9)
    (junctor.folder / "slow").touch()
    terminal = Terminal(junctor, "resend", "--service", "mailer")
    terminal.wait_for("1 of 9 sent")
    terminal.interrupt()
    terminal.wait_for("go on watching")
    terminal.type("leave\r")
    terminal.ends(0)
    assert "goes on" in terminal.said
    assert "sends messages again" in junctor.here("resend", "3", code=1)
    (junctor.folder / "slow").unlink()
    until(lambda: len(sent(junctor)) == 9)
    assert junctor.here("resend", "--service", "mailer", "--detach") == "nothing fits, nothing was sent\n"
    detached = junctor.json("resend", "--status", "resent", "--again", "--detach")
    assert detached["state"] == "running" and detached["total"] == 9
    until(lambda: len(sent(junctor)) == 18)


def test_a_killed_node_doubles_nothing(junctor: Junctor) -> None:
    """Killed while a batch is on its way: what was not sent is parked, and the same command does the rest."""
    running = parked(junctor, 40)
    (junctor.folder / "slow").touch()
    terminal = Terminal(junctor, "resend", "--service", "mailer", "--rate", "1000/s")
    terminal.wait_for("1 of 40 sent")
    (junctor.folder / "slow").unlink()
    running.signal(signal.SIGKILL)
    running.ends(-signal.SIGKILL)
    terminal.ends(1)
    assert "What was not sent is still parked, and nothing was sent twice" in terminal.said
    said = junctor.here("resend", "--service", "mailer", code=1)
    assert "the node does not run" in said and "only a running node can send messages again" in said
    junctor.start("mail.py")
    assert junctor.json("resend", "--jobs") == []
    assert junctor.json("resend", "--service", "mailer")["failed"] == 0
    until(lambda: not junctor.json("messages", "--status", "open"))
    views = junctor.json("messages", "-n", "1000")
    originals = [view for view in views if "resend_of" not in view]
    assert {view["status"] for view in originals} == {"resent"}
    assert sorted(view["resend_of"] for view in views if "resend_of" in view) == sorted(v["id"] for v in originals)
    assert len({line.split()[2] for line in sent(junctor)}) == 40


def test_notes_and_discards(junctor: Junctor) -> None:
    parked(junctor, 3)
    assert "noted by" in junctor.here("note", "2", "waiting for partner")
    said = junctor.here("parked", "--members")
    assert "waiting for partner" in said
    assert "notes" in junctor.here("parked")
    assert "waiting for partner" in junctor.here("trace", "2")
    assert "--yes" in junctor.here("discard", "1", code=2)
    assert junctor.here("discard", "1", "--yes", "--note", "test") == "1 message discarded\n"
    assert "is discarded, and only what is parked" in junctor.here("discard", "1", "--yes", code=1)
    assert "the note is empty" in junctor.here("note", "2", " ", code=2)
    junctor.here("discard", "--yes", code=2)
    terminal = Terminal(junctor, "discard", "--service", "mailer")
    terminal.wait_for("discard 2 messages? [y/N]")
    terminal.type("n\r")
    terminal.ends(1)
    terminal = Terminal(junctor, "discard", "--service", "mailer")
    terminal.wait_for("discard 2 messages? [y/N]")
    terminal.type("y\r")
    terminal.ends(0)
    assert len(junctor.json("messages", "--status", "discarded")) == 3
    junctor.here("stop")
    assert "only a running node can discard" in junctor.here("discard", "2", "--yes", code=1)
