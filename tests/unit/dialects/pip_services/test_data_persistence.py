"""Persistences of Pip.Services: items in memory and in a JSON file."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.data import (
    AnyValueMap,
    FilterParams,
    PagingParams,
    ProjectionParams,
    SortField,
    SortParams,
)
from junctor.dialects.pip_services.commons.errors import (
    BadRequestException,
    ConfigException,
    ConflictException,
    FileException,
)
from junctor.dialects.pip_services.data.persistence import (
    FilePersistence,
    IdentifiableFilePersistence,
    IdentifiableMemoryPersistence,
    JsonFilePersister,
    MemoryPersistence,
)


class Beacon:
    def __init__(self, id: str | None, site: str, label: str) -> None:
        self.id, self.site, self.label = id, site, label


class BeaconMap(dict[str, Any]):
    """As classes of programs are that are maps and have attributes as well."""

    def __init__(self, id: str | None, site: str, label: str) -> None:
        super().__init__(id=id, site=site, label=label)
        for name in self:
            setattr(self, name, self[name])


def plain(id: str | None, site: str, label: str) -> dict[str, Any]:
    return {"id": id, "site": site, "label": label}


@pytest.fixture(params=[Beacon, BeaconMap, plain])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


def filled(*labels: str, site: str = "a") -> IdentifiableMemoryPersistence[Any]:
    made: IdentifiableMemoryPersistence[Any] = IdentifiableMemoryPersistence()
    for number, label in enumerate(labels):
        made.create(None, plain(str(number), site, label))
    return made


def labels(items: list[Any]) -> list[str]:
    return [item["label"] for item in items]


def test_items_of_every_kind_are_read_as_attributes(make: Any) -> None:
    store: IdentifiableMemoryPersistence[Any] = IdentifiableMemoryPersistence()
    created = store.create("c", make(None, "a", "first"))
    assert len(created.id) == 32
    assert store.get_one_by_id("c", created.id).label == "first"
    changed = store.update_partially("c", created.id, AnyValueMap.from_tuples("label", "second"))
    assert changed.label == store.get_one_by_id("c", created.id).label == "second"
    created.label = "third"
    assert store.update("c", created).label == "third"
    assert store.delete_by_id("c", created.id).id == created.id
    assert store.get_one_by_id("c", created.id) is None
    assert store.delete_by_id("c", created.id) is None
    assert store.update("c", created) is None
    assert store.update_partially("c", created.id, AnyValueMap()) is None


def test_a_dict_stays_one() -> None:
    store = filled("x")
    answer = store.get_one_by_id(None, "0")
    assert isinstance(answer, dict)
    assert answer == plain("0", "a", "x")
    assert json.loads(json.dumps(answer)) == answer
    with pytest.raises(AttributeError, match='no "size"'):
        _ = answer.size


def test_nobody_changes_what_is_stored_from_outside() -> None:
    store: IdentifiableMemoryPersistence[Any] = IdentifiableMemoryPersistence()
    mine: Any = {"id": "1", "tags": ["a"]}
    answers = [store.create(None, mine), store.get_one_by_id(None, "1"), store.set(None, mine)]
    for each in (mine, *answers, *store.get_list_by_filter(None, None)):
        each["tags"].append("b")
    assert store.get_one_by_id(None, "1")["tags"] == ["a"]
    given: dict[str, Any] = {"tags": []}
    store.create(None, given)
    assert "id" not in given


def test_a_second_item_of_an_id_is_refused_and_set_replaces() -> None:
    store = filled("x")
    with pytest.raises(ConflictException) as raised:
        store.create(None, plain("0", "a", "y"))
    assert (raised.value.code, raised.value.status) == ("ID_EXISTS", 409)
    store.set(None, plain("0", "a", "y"))
    store.set(None, plain("7", "a", "z"))
    assert labels(store.get_list_by_filter(None, None)) == ["y", "z"]


def test_several_ids() -> None:
    store = filled("x", "y", "z")
    assert labels(store.get_list_by_ids(None, ["2", "0", "9"])) == ["x", "z"]
    store.delete_by_ids(None, ["2", "0", "9"])
    assert labels(store.get_list_by_filter(None, None)) == ["y"]


def test_pages() -> None:
    store = filled(*"abcdefg")
    page = store.get_page_by_filter(None, None, PagingParams(2, 3, True))
    assert (labels(page.data), page.total) == (["c", "d", "e"], 7)
    page = store.get_page_by_filter(None, lambda item: item.label > "e", None)
    assert (labels(page.data), page.total) == (["f", "g"], None)
    store.configure(ConfigParams.from_tuples("options.max_page_size", 4))
    assert len(store.get_page_by_filter(None, None, PagingParams(0, 100)).data) == 4


def test_filters() -> None:
    store = filled("x", "y")
    assert labels(store.get_list_by_filter(None, FilterParams.from_tuples("label", "y", "site", "a"))) == ["y"]
    assert store.get_count_by_filter(None, FilterParams()) == 2
    assert store.get_one_random(None, lambda item: item["label"] == "y")["id"] == "1"
    assert store.get_one_random(None, lambda item: False) is None
    store.delete_by_filter(None, {"label": "x"})
    assert labels(store.get_list_by_filter(None, None)) == ["y"]


@pytest.mark.parametrize(
    "sort",
    [
        SortParams(SortField("label", False)),
        lambda item: -ord(item["label"]),
        lambda one, other: ord(other.label) - ord(one.label),
        [SortField("site"), SortField("label", False)],
    ],
)
def test_sorting_sorts(sort: Any) -> None:
    assert labels(filled("b", "c", "a").get_list_by_filter(None, None, sort)) == ["c", "b", "a"]


def test_sorting_by_two_fields_and_without_values() -> None:
    store: MemoryPersistence[Any] = MemoryPersistence()
    for site, number in (("b", 1), ("a", 2), ("a", None), ("b", "x"), ("a", 1)):
        store.create(None, {"site": site, "number": number})
    found = store.get_list_by_filter(None, None, SortParams(SortField("site"), SortField("number", False)))
    assert [(item.site, item.number) for item in found] == [("a", 2), ("a", 1), ("a", None), ("b", "x"), ("b", 1)]


def test_projections() -> None:
    store: MemoryPersistence[Any] = MemoryPersistence()
    store.create(None, {"id": "1", "center": {"x": 1, "y": 2}, "label": "l"})
    selected = store.get_list_by_filter(None, None, None, ProjectionParams(["id", "center.x"]))
    assert selected == [{"id": "1", "center.x": 1}]
    assert store.get_page_by_filter(None, None, None, None, lambda item: item["label"]).data == ["l"]


def test_a_file_holds_what_memory_had(tmp_path: Path) -> None:
    path = tmp_path / "data" / "beacons.json"
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence()
    store.configure(ConfigParams.from_tuples("path", path))
    store.open(None)
    store.create(None, Beacon("1", "a", "straße"))
    assert json.loads(path.read_text()) == [plain("1", "a", "straße")]
    store.close(None)
    again: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    again.open(None)
    assert again.get_one_by_id(None, "1").label == "straße"
    again.clear(None)
    assert json.loads(path.read_text()) == []


def test_what_was_never_opened_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": "1"}]')
    store: FilePersistence[Any] = FilePersistence(JsonFilePersister(str(path)))
    store.close(None)
    assert path.read_text() == '[{"id": "1"}]'


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    path, link = tmp_path / "a.json", tmp_path / "link.json"
    persister: JsonFilePersister[Any] = JsonFilePersister(str(link))
    path.write_text("[]")
    path.chmod(0o600)
    link.symlink_to(path)
    before = path.stat().st_ino
    persister.save(None, [{"a": 1}])
    assert link.is_symlink()
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(os.listdir(tmp_path)) == {"a.json", "link.json"}


def test_what_cannot_be_saved_has_not_happened(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    store.open(None)
    store.create(None, {"id": "1"})
    with pytest.raises(FileException) as raised:
        store.create(None, {"id": "2", "what": b"bytes"})
    assert raised.value.code == "WRITE_FAILED"
    assert json.loads(path.read_text()) == store.get_list_by_filter(None, None) == [{"id": "1"}]
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize("text", ["{}", "[", "5", '[{"a": 1}'])
def test_a_file_that_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    store: FilePersistence[Any] = FilePersistence(JsonFilePersister(str(path)))
    with pytest.raises(FileException, match=r"a\.json"):
        store.open(None)
    assert not store.is_open()
    store.close(None)
    assert path.read_text() == text


def test_no_path() -> None:
    with pytest.raises(ConfigException) as raised:
        FilePersistence().configure(ConfigParams())
    assert raised.value.code == "NO_PATH"


def test_many_threads_lose_nothing() -> None:
    store: IdentifiableMemoryPersistence[Any] = IdentifiableMemoryPersistence()

    def work() -> None:
        for _ in range(50):
            store.create(None, {"label": "x"})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = {item["id"] for item in store.get_list_by_filter(None, None)}
    assert len(ids) == 200


# What strangers bring -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["__deepcopy__", "__class__", "__reduce_ex__", "__dict__", "__init__"])
def test_names_that_belong_to_python_are_entries_like_others(tmp_path: Path, name: str) -> None:
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(tmp_path / "a.json")))
    store.open(None)
    store.create(None, {"id": "1", name: "x"})
    store.update_partially(None, "1", {name: "y"})
    assert store.get_one_by_id(None, "1") == {"id": "1", name: "y"}
    store.load(None)
    assert store.get_page_by_filter(None, None, None).data == [{"id": "1", name: "y"}]


def test_objects_have_no_such_fields() -> None:
    store: IdentifiableMemoryPersistence[Any] = IdentifiableMemoryPersistence()
    store.create(None, Beacon("1", "a", "x"))
    with pytest.raises(BadRequestException) as caught:
        store.update_partially(None, "1", {"label": "y", "__deepcopy__": "z"})
    assert caught.value.status == 400
    assert store.get_one_by_id(None, "1").label == "x"


def test_an_item_does_not_take_the_id_of_another() -> None:
    store = filled("x", "y")
    with pytest.raises(ConflictException):
        store.update_partially(None, "0", {"id": "1"})
    assert store.update_partially(None, "0", {"id": "7"}).id == "7"
    assert store.update_partially(None, "7", {"id": "7", "label": "z"}).label == "z"
    assert [item.id for item in store.get_list_by_filter(None, None)] == ["7", "1"]


@pytest.mark.parametrize(
    ("paging", "found"),
    [
        (PagingParams(-3, -1), ""),
        (PagingParams(-3, 2), "ab"),
        (PagingParams(0, 0), ""),
        (PagingParams(3), "d"),
        (PagingParams(4), ""),
        (PagingParams(10**400, 10**400), ""),
        (PagingParams("1", "1e400"), "bcd"),
        (PagingParams("many", "all"), "abcd"),
        ({"skip": 1, "take": "2"}, "bc"),
        ({}, "abcd"),
    ],
)
def test_edges_of_pages(paging: Any, found: str) -> None:
    assert "".join(labels(filled(*"abcd").get_page_by_filter(None, None, paging).data)) == found


@pytest.mark.parametrize("size", ["0", "-1"])
def test_a_page_has_room_for_an_item(size: str) -> None:
    with pytest.raises(ConfigException, match="max_page_size"):
        MemoryPersistence().configure(ConfigParams.from_tuples("options.max_page_size", size))


def test_a_field_may_have_values_of_every_kind() -> None:
    values: list[Any] = [math.nan, None, 1, Decimal("1.5"), True, "b", "a", [1], {"x": 1}]
    values += [datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3)]
    values += [date(2026, 1, 1), date(1, 1, 1), date(9999, 12, 31)]
    seed = random.randrange(10**6)
    random.Random(seed).shuffle(values)
    store: MemoryPersistence[Any] = MemoryPersistence()
    for value in values:
        store.create(None, {"value": value})
    sort = SortParams(SortField("value"))
    found = [item["value"] for item in store.get_list_by_filter(None, None, sort)]
    moments = [each for each in found if isinstance(each, date)]
    assert [each.day for each in moments] == [1, 1, 2, 3, 31], seed
    assert [each for each in found if isinstance(each, str)] == ["a", "b"], seed
    assert len(found) == len(values), seed


@pytest.mark.parametrize("data", [b'\xef\xbb\xbf[{"id": "1"}]', b' \r\n[{"id": "1"}]\r\n', b'[{"id": "1"}]\n\n'])
def test_files_of_other_programs(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    store.open(None)
    store.create(None, {"id": "2"})
    assert json.loads(path.read_text()) == [{"id": "1"}, {"id": "2"}]


@pytest.mark.parametrize("data", [b"", b" \n"])
def test_an_empty_file_has_no_items(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.json").write_bytes(data)
    assert JsonFilePersister(str(tmp_path / "a.json")).load(None) == []


def test_half_a_surrogate_pair_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": "\\ud800"}]')
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    store.open(None)
    store.create(None, {"id": "straße"})
    store.load(None)
    assert [item.id for item in store.get_list_by_filter(None, None)] == ["\ud800", "straße"]


def test_a_pipe_is_no_data_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    os.mkfifo(path)
    persister: JsonFilePersister[Any] = JsonFilePersister(str(path))
    with pytest.raises(FileException, match="no file"):
        persister.load(None)
    with pytest.raises(FileException, match="no file"):
        persister.save(None, [])
    assert path.is_fifo()


def test_ids_that_are_there_twice_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[{"id": "1", "n": 1}, {"id": "1", "n": 2}, {"id": [1]}, {"n": 3}, null]')
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    told: list[str] = []
    store._logger.warn = lambda correlation_id, message, *args: told.append(message % args)  # type: ignore[method-assign]
    store.open(None)
    assert told == ["There are several items of an id, of which the first is taken: '1'"]
    assert store.get_one_by_id(None, "1").n == 1
    assert len(store.get_list_by_ids(None, ["1"])) == 2


# Threads and sudden ends --------------------------------------------------------------------------------------


def test_readers_and_writers_of_a_file_see_whole_items(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store: IdentifiableFilePersistence[Any] = IdentifiableFilePersistence(JsonFilePersister(str(path)))
    store.open(None)
    store.create(None, {"id": "shared", "a": 0, "b": 0})
    wrong: list[Any] = []

    def write(number: int) -> None:
        for count in range(15):
            store.update_partially(None, "shared", {"a": count, "b": count})
            made = store.create(None, {"id": f"{number}-{count}"})
            if count % 3 == 0:
                store.delete_by_id(None, made.id)

    def read() -> None:
        while any(writer.is_alive() for writer in writers):
            item = store.get_one_by_id(None, "shared")
            page = store.get_page_by_filter(None, None, PagingParams(0, 5, True), SortParams(SortField("id")))
            wrong.extend([item] if item.a != item.b else [])
            wrong.extend([page] if page.total is None or len(page.data) != min(5, page.total) else [])
            wrong.extend([] if json.loads(path.read_text()) else ["empty file"])

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in (*writers, *readers):
        thread.join()
    assert not wrong
    store.close(None)
    assert len(json.loads(path.read_text())) == 4 * 10 + 1


WRITER = """
import sys
from junctor.dialects.pip_services.data.persistence import IdentifiableFilePersistence, JsonFilePersister
store = IdentifiableFilePersistence(JsonFilePersister(sys.argv[1]))
store.open(None)
print("open", flush=True)
number = len(store.get_list_by_filter(None, None))
while True:
    store.create(None, {"id": str(number), "text": "x" * 200_000})
    print(number, flush=True)
    number += 1
"""


def test_a_process_that_is_killed_while_it_saves_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    expected = 0
    for _ in range(6):
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None and process.stdout.readline() == "open\n", seed
            time.sleep(chance.uniform(0.0, 0.05))
            process.send_signal(signal.SIGKILL)
            told = process.stdout.read().split()
        expected = max([expected, *(int(each) + 1 for each in told)])
        found = json.loads(path.read_text()) if path.exists() else []
        assert [item["id"] for item in found] == [str(number) for number in range(len(found))], seed
        assert expected <= len(found) <= expected + 1, seed
        expected = len(found)


def test_what_killed_processes_left_half_written_is_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store: JsonFilePersister[Any] = JsonFilePersister(str(path))
    store.save(None, [])
    names = [".a.json.old.part", ".a.json.new.part", ".b.json.old.part", ".a.json.mine"]
    for name in names:
        (tmp_path / name).write_text("[{")
        if "new" not in name:
            os.utime(tmp_path / name, (1, 1))
    store.load(None)
    assert set(os.listdir(tmp_path)) == {"a.json", *names[1:]}


@pytest.mark.skipif(os.getuid() == 0, reason="for root every folder can be read")
def test_a_folder_that_cannot_be_read_can_be_written(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    folder.mkdir(mode=0o300)
    try:
        JsonFilePersister(str(folder / "a.json")).save(None, [1])
    finally:
        folder.chmod(0o700)
    assert (folder / "a.json").read_text() == "[1]"
