"""Code that changed on disk: what is forgotten, what stays, what comes back."""

from __future__ import annotations

import os
import sys
import textwrap
import time
import types
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest

from junctor.errors import ConfigurationError
from junctor.flows.code import modules

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a file below a folder that modules are imported from. Imports leave nothing behind."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = dict(sys.modules)
    modules.note_imports()

    def writer(name: str, source: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
        return path

    yield writer
    for name in set(sys.modules) - set(before):
        if not name.startswith("junctor."):  # a part that is loaded twice has two classes of one name
            del sys.modules[name]
    modules.note_imports()


def settle() -> None:
    """Let the clock of files pass what was written."""
    time.sleep(0.02)
    modules.note_imports()


def imported(*names: str) -> list[types.ModuleType]:
    """The modules, each imported and noted after its file was written: nothing about them is in doubt."""
    settle()
    found = [import_module(name) for name in names]
    modules.note_imports()
    return found


def test_what_changed_is_imported_anew_and_the_rest_stays_the_same_object(write: Write) -> None:
    write("kinds.py", "class Reading: ...")
    write("monitor.py", "from kinds import Reading\nclass Monitor: ...")
    write("alarm.py", "from kinds import Reading\nclass Alarm:\n    limit = 75")
    monitor, alarm = imported("monitor", "alarm")
    write("alarm.py", "from kinds import Reading\nclass Alarm:\n    limit = 80")
    with modules.changed_modules() as names:
        assert names == ["alarm"]
        again = import_module("alarm")
    assert again.Alarm.limit == 80
    assert again.Reading is alarm.Reading is monitor.Reading
    assert sys.modules["monitor"] is monitor


def test_a_change_of_the_same_size_in_the_same_second_counts(write: Write) -> None:
    """Python's own cache of compiled code takes such a file for unchanged."""
    write("alarm.py", "limit = 75")
    (alarm,) = imported("alarm")
    stat = os.stat("alarm.py")
    for number in range(10, 20):
        path = write("alarm.py", f"limit = {number}")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + number))
        with modules.changed_modules() as names:
            assert import_module("alarm").limit == number
        assert names == ["alarm"]
    assert alarm.limit == 75


def test_a_touched_file_did_not_change(write: Write) -> None:
    path = write("alarm.py", "limit = 75")
    imported("alarm")
    os.utime(path, (1, 1))
    assert modules.changed_files() == []
    assert modules.forget_changed() == []


def test_all_that_import_it_go_with_it_also_from_inside_functions_and_packages(write: Write) -> None:
    write("plant/__init__.py", "")
    write("plant/kinds.py", "class Reading: ...")
    write("plant/rules.py", "from .kinds import Reading")
    write("plant/alarm.py", "from . import rules")
    write("plant/late.py", "def late():\n    from plant.kinds import Reading\n    return Reading")
    write("plant/apart.py", "import json")
    write("main.py", "import plant.alarm\nimport plant.late")
    imported("main", "plant.apart")
    write("plant/kinds.py", "class Reading:\n    value = 1")
    assert modules.forget_changed() == ["main", "plant.alarm", "plant.kinds", "plant.late", "plant.rules"]


def test_a_changed_package_takes_its_modules_with_it(write: Write) -> None:
    write("plant/__init__.py", "UNIT = 'C'")
    write("plant/alarm.py", "")
    write("apart.py", "")
    imported("plant.alarm", "apart")
    write("plant/__init__.py", "UNIT = 'F'")
    assert modules.forget_changed() == ["plant", "plant.alarm"]
    import_module("plant.alarm")
    assert import_module("plant").alarm is sys.modules["plant.alarm"]


@pytest.mark.parametrize("broken", ["class Alarm(:", "raise RuntimeError('at import')", "import nothing_of_this_name"])
def test_after_a_broken_change_the_old_modules_are_back_and_a_good_one_is_taken(write: Write, broken: str) -> None:
    write("plant/__init__.py", "")
    write("plant/kinds.py", "VALUE = 1")
    write("plant/alarm.py", "from plant.kinds import VALUE")
    write("main.py", "from plant import alarm")
    main, alarm, kinds = imported("main", "plant.alarm", "plant.kinds")
    write("plant/kinds.py", "import fresh\nVALUE = 2")
    write("fresh.py", "")
    write("plant/alarm.py", f"from plant.kinds import VALUE\n{broken}")
    with pytest.raises((SyntaxError, RuntimeError, ImportError)), modules.changed_modules():
        import_module("main")
    assert (sys.modules["main"], sys.modules["plant.alarm"], sys.modules["plant.kinds"]) == (main, alarm, kinds)
    assert import_module("plant").alarm is alarm and import_module("plant").kinds is kinds
    assert "fresh" not in sys.modules
    write("plant/alarm.py", "from plant.kinds import VALUE")
    settle()
    with modules.changed_modules() as names:
        assert set(names) >= {"plant.kinds", "main"}
        assert import_module("main").alarm.VALUE == 2
    assert modules.changed_files() == []


def test_two_cannot_load_at_once(write: Write) -> None:
    with modules.changed_modules():
        with pytest.raises(ConfigurationError, match="just being loaded"), modules.changed_modules():
            raise AssertionError("never")
    with modules.changed_modules() as names:
        assert names == []


def test_a_file_written_while_it_was_imported_is_imported_once_more(write: Write) -> None:
    write("slow.py", "import pathlib\npathlib.Path('slow.py').write_text('LIMIT = 2')\nLIMIT = 1")
    settle()
    assert import_module("slow").LIMIT == 1
    assert modules.forget_changed() == ["slow"]
    assert import_module("slow").LIMIT == 2


def test_a_deleted_file_is_a_change(write: Write) -> None:
    path = write("alarm.py", "")
    imported("alarm")
    path.unlink()
    assert modules.changed_files() == [path]
    with pytest.raises(ModuleNotFoundError), modules.changed_modules():
        import_module("alarm")
    assert "alarm" in sys.modules


def test_the_users_files_are_watched_and_no_others(write: Write) -> None:
    path = write("alarm.py", "import json, pytest, junctor")
    imported("alarm")
    watched = modules.watched_files()
    assert path in watched
    assert not [file for file in watched if "site-packages" in str(file) or file.name == "decoder.py"]
    assert not [file for file in watched if "junctor" in file.parts[:-1] and "src" in file.parts]
