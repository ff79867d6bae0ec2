"""A migrated production in a node of its own, operated through :class:`Production`: two projects whose modules have the
same names, and an item whose class nobody registered."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from junctor.dialects.iop import Production, ProductionValidationWarning
from junctor.dialects.iop.migration import migrate
from junctor.errors import JunctorError

MSG = """
from dataclasses import dataclass
from junctor.dialects.iop import Message

@dataclass
class Order(Message):
    {name}: str = None
"""

BO = """
from junctor.dialects.iop import BusinessOperation
from msg import Order

class Store(BusinessOperation):
    def on_order(self, request: Order):
        return Order(f"{name} got {{request.{name}}}")
"""

SETTINGS = """
import bo
CLASSES = {{"Python.{name}": bo.Store}}
"""

BOTH = """
def item(name):
    return {"@Name": name, "@ClassName": f"Python.{name}"}

PRODUCTIONS = [{"Demo.Both": {"@TestingEnabled": "true", "Item": [item("shop"), item("bank"), item("gone")]}}]
"""


@pytest.fixture
def production(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Production]:
    monkeypatch.setenv("IOP_HOME", str(short_dir / "home"))
    for name in ("shop", "bank"):
        folder = short_dir / name
        folder.mkdir()
        for file, text in (("msg.py", MSG), ("bo.py", BO), ("settings.py", SETTINGS)):
            (folder / file).write_text(text.format(name=name))
        migrate(folder / "settings.py")
    (short_dir / "settings.py").write_text(BOTH)
    with pytest.warns(ProductionValidationWarning, match=r"no class is registered as Python\.gone"):
        migrate(short_dir / "settings.py")
    made = Production.from_iris("Demo.Both")
    yield made
    with contextlib.suppress(RuntimeError, JunctorError):
        made.kill()


@pytest.mark.timeout(60)
def test_two_projects_of_the_same_names_run_beside_an_item_in_error(production: Production) -> None:
    production.start()
    assert production.status()["Status"] == "running"
    shop = production.test("shop", classname="msg.Order", body={"shop": "one"})
    bank = production.item("bank").test(classname="bank:msg.Order", body={"bank": "two"})
    assert (shop.shop, bank.bank) == ("shop got one", "bank got two")
    bank = production.item("bank").test(classname="msg.Order", body={"bank": "two"})  # the one that the item knows
    assert bank.bank == "bank got two"
    with pytest.raises(RuntimeError, match=r"Demo\.Both runs in namespace USER"):
        Production("Demo.Other").stop()

    production.update_component("gone", class_name="Python.bank")
    production.sync()
    found = production.test("gone", classname="bank:msg.Order", body={"bank": "three"})
    assert found.bank == "bank got three"
    production.stop()
    with pytest.raises(RuntimeError, match="no production runs"):
        production.stop()
