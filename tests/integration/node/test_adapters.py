"""A node whose flow names adapters of another distribution, and is changed while it runs."""

from __future__ import annotations

import time
from pathlib import Path

from tests.integration.node.conftest import Junctor
from tests.unit.flows.distributions import install

CODE = '''
    """Adapters of another house."""
    from typing import Any
    from junctor import Service, handler, setting
    from junctor.adapters import Inbound

    class Pulse(Inbound):
        """Beats."""
        text: str = setting(doc="What each beat says.")

        def poll(self) -> bool:
            self.out.send(self.text)
            return False

    class Bell(Service):
        """Rings."""

        @handler
        async def ring(self, body: Any) -> None:
            self.log.warning("rings %s", body)
'''

FLOW = """
flow: ward
services:
  heart: {adapter: pulse, settings: {text: tick, interval: 50ms}, connect: {out: bell}}
  bell: {adapter: bell}
"""


def ward(junctor: Junctor) -> Path:
    site = install(junctor.folder / "site", code=CODE)
    junctor.env["PYTHONPATH"] = str(site)
    path = junctor.folder / "ward.yaml"
    path.write_text(FLOW)
    return path


def test_it_runs_and_is_changed_like_any_service(junctor: Junctor) -> None:
    path = ward(junctor)
    node = junctor.start("ward.yaml", "--port", "0")
    node.wait_for("rings tick")

    path.write_text(FLOW.replace("tick", "tock"))
    assert "heart: text tick -> tock" in junctor("apply", "ward.yaml")
    node.wait_for("rings tock")

    path.write_text(FLOW.replace("adapter: bell", "adapter: bel"))
    said = junctor("apply", "ward.yaml", code=78)
    assert 'bell.adapter (ward.yaml:5): there is no adapter "bel". Did you mean "bell"?' in said

    path.write_text(FLOW.replace("adapter: bell", "class: 'pulse_adapters:Bell'").replace("tick", "tock"))
    assert "nothing to change" in junctor("apply", "ward.yaml"), "the same class, by another name"
    assert "pulse" in junctor("services")
    junctor("stop")
    node.ends(0)


def test_a_saved_file_names_another_one(junctor: Junctor) -> None:
    path = ward(junctor)
    path.write_text(FLOW.replace("heart: {adapter: pulse", "heart: {enabled: false, adapter: later"))
    node = junctor.start("ward.yaml", "--port", "0", "--reload")
    later = {"later": "late_adapters:Pulse"}
    install(junctor.folder / "site", "late", "1", CODE.replace("Beats", "Beats later"), later)
    path.write_text(FLOW.replace("adapter: pulse", "adapter: later"))  # installed while the node runs
    until = time.monotonic() + 15
    while "rings tick" not in node.said and time.monotonic() < until:
        time.sleep(0.05)
    assert "rings tick" in node.said, node.said
    junctor("stop")
    node.ends(0)
