"""``junctor backup`` and ``restore`` as an operator types them."""

from __future__ import annotations

import signal
import sqlite3

import pytest

from junctor import connect
from junctor.store.backup import BackupFailed
from tests.integration.node.conftest import Junctor


def send(junctor: Junctor, *values: float) -> None:
    for value in values:
        junctor.here("send", "alarm", f'{{"sensor": "cpu", "value": {value}}}', "--type", "Reading")


def wait_until_done(junctor: Junctor, count: int) -> None:
    for _ in range(500):
        if len(junctor.json("messages", "--status", "done")) >= count:
            return
    raise AssertionError(junctor.here("messages"))


def test_a_backup_of_a_running_node_is_restored_and_waiting_messages_are_handled_again(junctor: Junctor) -> None:
    node = junctor.start("machine.py:Alarm", "--port", "0")
    junctor.here("pause", "alarm")
    send(junctor, 1, 2, 3)
    made = junctor.json("backup", "copy.db")
    assert (made["records"], made["path"]) == (3, str(junctor.folder / "copy.db"))
    junctor.here("resume", "alarm")
    send(junctor, 4)
    wait_until_done(junctor, 4)
    assert "Stop the node first: junctor stop" in junctor.here("restore", "copy.db", code=1)
    junctor.here("stop")
    node.ends(0)
    told = junctor.here("restore", "copy.db")
    assert "3 records, of" in told and "before-restore-" in told and "delivered again" in told
    junctor.start("machine.py:Alarm", "--port", "0")
    junctor.here("resume", "alarm")
    wait_until_done(junctor, 3)
    assert [message["seq"] for message in junctor.json("messages", "--status", "done")] == [3, 2, 1]
    assert "was restored from a backup" in junctor.here("alerts", "-n", "20")
    send(junctor, 5)
    assert junctor.json("messages", "-n", "1")[0]["seq"] > 1 << 40


@pytest.mark.parametrize(("path", "told"), [("/tmp/a\0b", "a NUL in it"), ("copy.db", "not absolute")])
def test_a_program_that_names_no_file_is_told(junctor: Junctor, path: str, told: str) -> None:
    junctor.start("machine.py:Alarm", "--port", "0")
    with connect(junctor.folder / ".junctor" / "machine") as node, pytest.raises(BackupFailed, match=told):
        node.ask("backup", path=path)


@pytest.mark.parametrize("state", ["running", "stopped", "killed"])
def test_what_cannot_be_written_is_told_in_one_line(junctor: Junctor, state: str) -> None:
    node = junctor.start("machine.py:Alarm", "--port", "0")
    send(junctor, 1)
    if state != "running":
        node.signal(signal.SIGKILL if state == "killed" else signal.SIGTERM)
        node.process.wait()
    assert "1 record, " in junctor.here("backup", "copy.db")
    (junctor.folder / "link.db").symlink_to("elsewhere.db")
    store = junctor.folder / ".junctor" / "machine"
    for file, text in (
        ("copy.db", "there is a file already"),
        ("link.db", "there is a file already"),
        ("none/copy.db", "the folder of the backup is not there"),
        (str(store / "junctor.db"), "the folder of the store itself"),
        (str(store / "other.db"), "the folder of the store itself"),
        ("/proc/copy.db", "cannot be written"),
    ):
        told = junctor.here("backup", file, code=1)
        assert text in told
    assert not list(junctor.folder.glob("*.part")) and not (junctor.folder / "elsewhere.db").exists()


def test_a_restore_of_nothing_touches_nothing(junctor: Junctor) -> None:
    node = junctor.start("machine.py:Alarm", "--port", "0")
    send(junctor, 1)
    junctor.here("backup", "copy.db")
    junctor.here("stop")
    node.ends(0)
    (junctor.folder / "text.db").write_text("no database")
    with open(junctor.folder / "copy.db", "r+b") as file:
        file.seek(4096 * 5)
        file.write(b"\xff" * 4096 * 10)
    for file, text in (("text.db", "this is no store"), ("copy.db", "The store was not touched"), ("no.db", "no such")):
        assert text in junctor.here("restore", file, code=1)
    assert [message["seq"] for message in junctor.json("messages")] == [1]
    assert "--store" not in junctor.here("restore", "text.db", "--store", "new", code=1)


def test_a_node_in_memory_has_nothing_to_back_up(junctor: Junctor) -> None:
    junctor.start("machine.py:Alarm", "--port", "0", "--transport", "memory", "--store", "here")
    assert "in memory only" in junctor.here("backup", "copy.db", "--node", "here", code=1)


def test_the_retention_of_a_running_node_is_changed_by_apply(junctor: Junctor) -> None:
    flow = junctor.folder / "flow.yaml"
    flow.write_text("flow: f\nservices:\n  alarm: {class: machine:Alarm}\nretention: {disk: 100MB}\n")
    junctor.start("flow.yaml", "--port", "0")
    assert junctor.json("status")["store_size"]["limit"] == 100_000_000
    assert " of 95.4 MB; " in junctor.here("status")
    flow.write_text(flow.read_text().replace("100MB", "200MB"))
    assert "retention: disk 100000000 -> 200000000" in junctor.here("apply")
    assert junctor.json("status")["store_size"]["limit"] == 200_000_000


def test_what_can_be_read_of_a_damaged_store_is_saved_and_put_in_place(junctor: Junctor) -> None:
    node = junctor.start("machine.py:Alarm", "--port", "0")
    junctor.here("pause", "alarm")
    send(junctor, 1, 2, 3)
    assert "Stop the node first" in junctor.here("backup", "saved.db", "--salvage", code=1)
    junctor.here("stop")
    node.ends(0)
    path = junctor.folder / ".junctor" / "machine" / "junctor.db"
    with sqlite3.connect(path) as db:
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'reply'").fetchone()
    db.close()
    data = bytearray(path.read_bytes())
    data[(root - 1) * 4096 : root * 4096] = b"\xa5" * 4096
    path.write_bytes(data)
    assert "--salvage" in junctor.here("backup", "copy.db", code=1)
    assert "3 records" in junctor.here("backup", "saved.db", "--salvage")
    made = junctor.json("backup", "again.db", "--salvage")
    assert (made["records"], made["damaged"]) == (3, 0)
    assert made["lost"] == ["reply: what had numbers 0 to the end cannot be read"]
    junctor.here("restore", "saved.db")
    junctor.start("machine.py:Alarm", "--port", "0")
    assert {one["status"] for one in junctor.json("messages")} == {"ready"}
