"""Persistences of Pip.Services: items in memory and in a JSON file."""

from __future__ import annotations

import json
import os
import threading
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
from junctor.dialects.pip_services.commons.errors import ConfigException, ConflictException, FileException
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
