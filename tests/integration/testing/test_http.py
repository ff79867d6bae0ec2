"""``plant.http``: over a restart, and with forms and files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pytest

from junctor import Flow, Service, get, post
from junctor.http import Form, Upload
from junctor.testing import running


class Desk(Service):
    count: int = 0

    @get("/count")
    def counted(self) -> int:
        self.count += 1
        return self.count

    @post("/scans")
    async def scans(self, pages: list[Upload], title: Annotated[str, Form()] = "") -> list[str]:
        return [title, *[f"{page.filename} {page.content_type} {(await page.read()).decode()}" for page in pages]]

    @post("/one")
    async def one(self, document: Upload, tags: Annotated[list[str], Form()]) -> list[str]:
        return [document.filename, (await document.read()).decode(), *tags]

    @post("/form")
    async def form(self, title: Annotated[str, Form()]) -> str:
        return title


async def test_it_lives_on_after_a_restart(tmp_path: Path) -> None:
    async with running(Flow("f").add(Desk()), store=tmp_path) as plant:
        client = plant.http
        assert (await client.get("/count")).json() == 1
        await plant.restart()
        assert (await client.get("/count")).json() == 1
        assert (await plant.http.get("/count")).json() == 2
        assert plant.http is client


async def test_forms_and_files() -> None:
    async with running(Flow("f").add(Desk())) as plant:
        given = await plant.http.post("/scans", form={"title": 'ä "b"'}, files={"pages": ("ü 1.pdf", b"one")})
        assert given.json() == ['ä "b"', "ü 1.pdf application/pdf one"], given.text
        given = await plant.http.post("/scans", files={"pages": ("a", b"two", "text/x")})
        assert given.json() == ["", "a text/x two"]
        given = await plant.http.post("/one", form={"tags": ["x", "y"]}, files={"document": b"three\r\n"})
        assert given.json() == ["document", "three\r\n", "x", "y"]
        assert (await plant.http.post("/form", form={"title": "a&b=ü"})).json() == "a&b=ü"


async def test_two_bodies_are_refused() -> None:
    async with running(Flow("f").add(Desk())) as plant:
        with pytest.raises(TypeError, match="one body"):
            await plant.http.post("/form", json={}, form={"title": "x"})
