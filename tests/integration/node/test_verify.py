"""``junctor verify``: a store beside its node, and a backup that is damaged."""

from __future__ import annotations

import json

import apsw

from tests.integration.node.conftest import Junctor

SERVICE = """
from junctor import Service, handler


class Notes(Service):
    @handler
    def on_note(self, note: str) -> None: ...
"""


def test_a_store_and_a_damaged_backup(junctor: Junctor) -> None:
    (junctor.folder / "notes.py").write_text(SERVICE)
    junctor.start("notes.py", "--port", "0")
    junctor.here("send", "notes", '"milk"')
    assert "1 records read" in junctor.here("verify")
    junctor.here("stop")
    backup = junctor.folder / "backup.db"
    backup.write_bytes((junctor.folder / ".junctor" / "notes" / "junctor.db").read_bytes())
    db = apsw.Connection(str(backup))
    db.execute("UPDATE message SET payload = CAST('\"silk\"' AS BLOB)")
    db.close()
    said = junctor("verify", str(backup), code=1)
    assert "1 records read" in said
    assert "damaged: 1 " in said
    assert json.loads(junctor("verify", str(backup), "--json", code=1))["damaged"] == [1]
    assert "there is no store" in junctor("verify", str(junctor.folder / "nowhere"), code=1)
