"""The text of systemd units, read back by systemd's own rules."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from junctor.errors import ConfigurationError
from junctor.node.process.unit import Unit, command, is_ours, raw_path, text_of_unit

NASTY = " \"'\\%$;#{}@-+!:~|&<>*?\u00a0äß😀abcZ09_/.="
CUNESCAPE = {"n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'", "s": " "}


def as_systemd_reads(line: str) -> list[str]:
    """The words of an Exec line as systemd.service(5) and systemd.syntax(7) have it: quotes, C escapes, specifiers,
    variables."""
    variables = not line.startswith(":")
    line = line.removeprefix(":")
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] in " \t":
            at += 1
            continue
        assert line[at] != ";" or line[at + 1 : at + 2] not in ("", " "), "a second command begins here"
        word, quote = "", ""
        while at < len(line) and (quote or line[at] not in " \t"):
            character = line[at]
            if character == "\\":
                at += 1
                word += CUNESCAPE[line[at]]
            elif quote:
                quote = "" if character == quote else quote
                word += "" if not quote else character
            elif character in "\"'":
                quote = character
            else:
                word += character
            at += 1
        assert not quote, "a quote is open"
        words.append(_expanded(word, variables))
    return words


def _expanded(word: str, variables: bool) -> str:
    made, at = "", 0
    while at < len(word):
        if word[at] == "%":
            assert word[at : at + 2] == "%%", f"a specifier in {word}"
            at += 1
        assert word[at] != "$" or not variables, f"a variable in {word}"
        made += word[at]
        at += 1
    return made


def test_what_stands_in_a_command_is_what_systemd_reads() -> None:
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    for _ in range(3000):
        words = ["/" + "".join(one for one in dice.choices(NASTY, k=dice.randrange(8)) if one not in "\"'\\")]
        words += ["".join(dice.choices(NASTY, k=dice.randrange(10))) for _ in range(dice.randrange(4))]
        assert as_systemd_reads(command(words)) == words, f"seed {seed}"


def test_a_path_that_takes_the_rest_of_the_line_keeps_its_end() -> None:
    assert raw_path(Path("/a b/50%/x")) == "/a b/50%%/x"
    assert raw_path(Path("/a ")) == "/a /"
    assert raw_path(Path("/a\\")) == "/a\\/"


@pytest.mark.parametrize("bad", ["/a\nExecStart=/bin/sh", "/a\x7f", "/a\udcff", "\t"])
def test_what_would_begin_a_line_of_its_own_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot stand in a systemd unit"):
        command(["/bin/true", bad])
    with pytest.raises(ConfigurationError, match="cannot stand in a systemd unit"):
        raw_path(Path(bad))


@pytest.mark.parametrize("bad", ["root\nExecStartPre=/bin/sh", "a b", "%u", "-x", " "])
def test_what_is_no_user_is_refused(bad: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a user"):
        text_of_unit(unit(Path("/"), account=bad))
    for good in ("nobody", "1000", "svc-app_2.x", "host$"):
        assert f"\nUser={good}\n" in text_of_unit(unit(Path("/"), account=good))


@pytest.mark.parametrize("path", ["/a'b", '/a"b', "/a\\b"])
def test_a_program_that_systemd_does_not_run_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="systemd runs no program"):
        command([path, "run"])


def unit(folder: Path, **more: object) -> Unit:
    said = {"name": "mail", "program": ("/bin/true",), "words": ("flow.yaml",), "folder": folder} | more
    return Unit(**said)  # type: ignore[arg-type]


def test_its_own_hand_is_known_and_a_strange_one_too() -> None:
    text = text_of_unit(unit(Path("/srv")))
    assert is_ours(text)
    assert not is_ours(text.replace("RestartSec=2", "RestartSec=9"))
    assert not is_ours("[Unit]\nDescription=mine\n")
    assert not is_ours("")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
@pytest.mark.parametrize("per_user", [False, True])
def test_systemd_accepts_it(tmp_path: Path, per_user: bool) -> None:
    folder = tmp_path / 'my $flow; "100%" \\ done'
    folder.mkdir()
    program = tmp_path / "50% of; $bin" / "junctor"
    program.parent.mkdir()
    program.symlink_to("/bin/true")
    (folder / "secret").write_text("x")
    made = unit(
        folder,
        program=(str(program),),
        words=(str(folder / "flow.yaml"), "--set", "a.b=${C} %n", "--port", "443"),
        per_user=per_user,
        secrets=(("PASSWORD", folder / "secret"),),
        writes=(folder, Path("/srv")),
        low_port=True,
    )
    file = tmp_path / made.file
    file.write_text(text_of_unit(made))
    words = ["systemd-analyze", "--man=no", "--user" if per_user else "--system", "verify", str(file)]
    env = os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=30)
    said = [line for line in done.stderr.splitlines() if made.file in line or str(tmp_path) in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_would_have_told_of_a_wrong_one(tmp_path: Path) -> None:
    made = unit(tmp_path, program=(str(tmp_path / "not there"),))
    (tmp_path / made.file).write_text(text_of_unit(made))
    words = ["systemd-analyze", "--man=no", "verify", str(tmp_path / made.file)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert "not there is not executable" in done.stderr


def test_a_unit_of_a_user_has_nothing_that_only_the_system_may() -> None:
    text = text_of_unit(unit(Path("/home/me/flows"), per_user=True))
    for word in ("User=", "ProtectSystem", "ProtectHome", "PrivateTmp", "CapabilityBoundingSet", "network-online"):
        assert word not in text
    assert "WantedBy=default.target" in text


def test_the_manager_waits_longer_than_a_node_takes() -> None:
    from junctor.node.node import GRACE
    from junctor.node.process.ending import PATIENCE
    from junctor.node.process.unit import STOP

    assert GRACE + PATIENCE < STOP
