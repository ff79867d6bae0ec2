"""The file of a namespace: whole or as it was, under a lock, never written over when it is damaged."""

from __future__ import annotations

import multiprocessing
import os
import stat
import threading
from pathlib import Path

import pytest

from junctor.dialects.iop.definition import ProductionDefinition, Registration
from junctor.dialects.iop.migration import Registry, RegistryDamaged, migrate
from junctor.dialects.iop.migration.lock import locked
from junctor.errors import ConfigurationError, ImportFailed

from .conftest import Write


def test_an_empty_registry_is_written_by_its_first_change_only(tmp_path: Path) -> None:
    registry = Registry.open()
    assert (registry.namespace, registry.path) == ("USER", tmp_path / "home" / "iop" / "USER.json")
    assert (registry.registrations, registry.productions, registry.default) == ({}, {}, "")
    assert not registry.path.exists()


@pytest.mark.parametrize(
    ("argument", "variables", "name"),
    [
        ("mine", {"IOP_NAMESPACE": "OTHER"}, "MINE"),
        (None, {"IOP_NAMESPACE": "a", "IRISNAMESPACE": "b"}, "A"),
        (None, {"IRISNAMESPACE": "b"}, "B"),
        (None, {}, "USER"),
    ],
)
def test_the_namespace_is_given_or_of_the_environment(
    argument: str | None, variables: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    assert Registry.open(argument).path.name == f"{name}.json"


@pytest.mark.parametrize("name", ["../x", "a/b", " ", "a" * 99])
def test_a_namespace_that_cannot_be_a_file_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="names no namespace"):
        Registry.open(name)


def test_the_home_is_given_or_beside_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Registry.open(home=tmp_path / "x").path == tmp_path / "x" / "iop" / "USER.json"
    monkeypatch.delenv("IOP_HOME")
    assert Registry.open().path == tmp_path / ".junctor" / "iop" / "USER.json"


def test_all_that_is_registered_is_there_again() -> None:
    with Registry.change() as registry:
        registry.registrations["a"] = Registration(name="a", module="m", cls="C", folder="/f")
        registry.productions["D"] = ProductionDefinition(name="D", description="d")
        registry.schemas["x.Y"] = {"type": "object"}
        registry.types["x.Y"] = "/f"
        registry.default = "D"
    again = Registry.open()
    for part in ("registrations", "productions", "schemas", "types", "default"):
        assert getattr(again, part) == getattr(registry, part)


def test_a_change_that_raises_is_not_kept() -> None:
    with Registry.change() as registry:
        registry.default = "before"
    with pytest.raises(RuntimeError, match="half-way"), Registry.change() as registry:
        registry.default = "after"
        raise RuntimeError("half-way")
    assert Registry.open().default == "before"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "productions": 3}', "\xff"])
def test_a_damaged_file_is_told_and_left(text: str, project: Write) -> None:
    file = project("shop", "CLASSES = {}")
    path = Registry.open().path
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RegistryDamaged) as caught:
        migrate(file)
    assert caught.value.where == str(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_newer_file_of_another_shape_is_told_as_newer(project: Write) -> None:
    path = Registry.open().path
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 2, "registrations": {}}')
    with pytest.raises(RegistryDamaged, match="of version 2") as caught:
        Registry.open()
    assert "newer release" in caught.value.fix


def test_what_is_not_registered_is_told_with_what_is(project: Write) -> None:
    migrate(project("shop", "import bo\nCLASSES = {'Python.Store': bo.Store}\nPRODUCTIONS = [{'Demo.Shop': {}}]"))
    registry = Registry.open()
    with pytest.raises(ConfigurationError, match=r'Did you mean "Python\.Store"'):
        registry.component("Python.Stoer")
    with pytest.raises(ConfigurationError, match=r'Did you mean "Demo\.Shop"'):
        registry.production("Demo.Shp")


def test_code_that_went_away_is_told(project: Write, tmp_path: Path) -> None:
    migrate(project("shop", "import bo\nCLASSES = {'Python.Store': bo.Store}"))
    (tmp_path / "shop").rename(tmp_path / "moved")
    with pytest.raises(ImportFailed, match=r"the folder of Python\.Store is gone"):
        Registry.open().component("Python.Store")


def _count(home: str, times: int) -> None:
    for _ in range(times):
        with Registry.change(home=Path(home)) as registry:
            registry.default = str(int(registry.default or 0) + 1)


def test_changes_of_several_processes_follow_each_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_count, args=(str(tmp_path), 20)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert Registry.open(home=tmp_path).default == "60"


def test_migrations_of_several_threads_follow_each_other(project: Write) -> None:
    files = [project(f"p{n}", f"import bo\nCLASSES = {{'Python.S{n}': bo.Store}}") for n in range(4)]
    threads = [threading.Thread(target=migrate, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Registry.open().registrations) == [f"Python.S{n}" for n in range(4)]


def test_who_holds_the_lock_for_too_long_is_told(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "x.lock"),
        pytest.raises(ConfigurationError, match="another process is changing"),
        locked(tmp_path / "x.lock", patience=0.0),
    ):
        pass


def test_a_registry_is_for_its_owner_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with Registry.change() as registry:
            registry.default = "D"
    finally:
        os.umask(before)
    places = (tmp_path / "home", tmp_path / "home" / "iop", registry.path)
    assert [stat.S_IMODE(place.stat().st_mode) for place in places] == [0o700, 0o700, 0o600]


@pytest.mark.parametrize("part", ["file", "folder"])
def test_a_registry_that_others_can_write_is_refused(part: str) -> None:
    with Registry.change() as registry:
        registry.default = "D"
    place = registry.path if part == "file" else registry.path.parent
    place.chmod(0o770)
    with pytest.raises(ConfigurationError, match="other users can write it") as caught:
        Registry.open()
    assert caught.value.where == str(place) and "chmod go-w" in caught.value.fix


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_registry_of_somebody_else_is_no_damaged_one() -> None:
    with Registry.change() as registry:
        registry.default = "D"
    registry.path.chmod(0)
    with pytest.raises(ConfigurationError, match="this user may not read the file") as caught:
        Registry.open()
    assert "Move the file away" not in caught.value.fix
