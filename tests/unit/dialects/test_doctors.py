"""The files of a project that a doctor reads and writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from junctor.dialects.doctors import Edit, Finding, Project, corrected
from junctor.dialects.doctors.correcting import apply, parses
from junctor.dialects.doctors.imports import with_imports
from junctor.dialects.doctors.project import NotCorrected


def test_only_what_people_wrote_is_read(tmp_path: Path) -> None:
    for name in (
        "a.py",
        "conf/b.yml",
        "requirements-dev.txt",
        "README.md",
        "notes.txt",
        ".hidden/c.py",
        "venv/d.py",
        "mine/pyvenv.cfg",
        "mine/lib/e.py",
        "x.egg-info/f.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "big.py").write_text("#" * 1_100_000)
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    assert sorted(Project.read(tmp_path).files) == ["README.md", "a.py", "conf/b.yml", "requirements-dev.txt"]


def test_files_keep_their_line_ends_and_permissions(tmp_path: Path) -> None:
    path = tmp_path / "run.py"
    path.write_bytes(b"a = 1\r\nb = 2\r\n")
    path.chmod(0o754)
    before = Project.read(tmp_path)
    assert before.lines("run.py") == ["a = 1", "b = 2", ""]
    after = apply(before, [Finding("c", "run.py", 1, "w", (Edit("run.py", 1, 1, ("a = 3",)),), ("import os",))])
    assert list(after.write(before)) == [("run.py", "run.py.orig")]
    assert path.read_bytes() == b"import os\r\n\r\n\r\na = 3\r\nb = 2\r\n"
    assert path.stat().st_mode & 0o777 == 0o754
    assert (tmp_path / "run.py.orig").read_bytes() == b"a = 1\r\nb = 2\r\n"
    assert list(before.write(after)) == [("run.py", "run.py.orig2")]
    assert sorted(os.listdir(tmp_path)) == ["run.py", "run.py.orig", "run.py.orig2"]


def test_a_file_that_has_gone_is_no_file_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    before = Project.read(tmp_path)
    (tmp_path / "a.py").unlink()
    with pytest.raises(NotCorrected, match=r"a\.py"):
        list(before.with_files({"a.py": "a = 2\n"}).write(before))
    assert os.listdir(tmp_path) == []


def edit(first: int, last: int, *lines: str) -> Finding:
    return Finding("c", "a.txt", first, "w", (Edit("a.txt", first, last, lines),))


def test_of_edits_of_the_same_lines_the_first_is_made() -> None:
    given = Project(Path("/nowhere"), {"a.txt": "1\n2\n3\n4"})
    made = apply(given, [edit(2, 3, "x"), edit(3, 3, "y"), edit(3, 2, "z"), edit(1, 0, "0"), edit(4, 4)])
    assert made.files["a.txt"] == "0\n1\nx"


def test_an_edit_that_would_break_a_python_file_is_not_made() -> None:
    given = Project(Path("/nowhere"), {"a.py": "a = 1\n"})
    wrong = Finding("c", "a.py", 1, "w", (Edit("a.py", 1, 1, ("a = (",)),))
    assert not apply(given, [wrong]).changed_from(given)


def test_corrections_end_even_where_they_undo_each_other() -> None:
    given = Project(Path("/nowhere"), {"a.txt": "1"})
    turns: list[Project] = []

    def examine(project: Project) -> list[Finding]:
        turns.append(project)
        return [edit(1, 1, "1" if project.files["a.txt"] == "2" else "2")]

    assert corrected(given, examine).files["a.txt"] in "12"
    assert len(turns) <= 50


def test_what_would_wait_or_has_no_end_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("a = 1\n")
    (tmp_path / "old.py").write_bytes(b"a = 1\rb = 2\r")
    os.mkfifo(tmp_path / "pipe.py")
    deep = tmp_path
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "b.py").write_text("b = 1\n")
    assert list(Project.read(tmp_path).files) == ["a.py"]


def test_a_byte_order_mark_is_kept_and_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbfa = 1\n")
    before = Project.read(tmp_path)
    assert before.lines("a.py") == ["a = 1", ""]
    after = apply(before, [Finding("c", "a.py", 1, "w", (Edit("a.py", 1, 1, ("a = 2",)),), ("import os",))])
    assert list(after.write(before)) == [("a.py", "a.py.orig")]
    assert (tmp_path / "a.py").read_bytes() == b"\xef\xbb\xbfimport os\n\n\na = 2\n"


@pytest.mark.parametrize("text", ["(" * 100_000, "x = " + "-" * 100_000 + "1\n", "x = a" + ".b" * 5_000 + "\n", "\0"])
def test_what_no_parser_can_read_is_no_python(text: str) -> None:
    assert not parses(text)
    assert with_imports(text, ["import os"]) == text
