"""The document of a listener: valid, complete, stable; and the page made of it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi import definitions

from junctor import Flow, Service, Socket, post, put, websocket
from junctor import action as native_action
from junctor.core.spec import ServiceSpec
from junctor.http.routes import Routes
from junctor.http.settings import Admin, ApiKey, HttpSettings
from junctor.services.native import spec_of
from tests.integration.http import everything
from tests.integration.http.client import call
from tests.integration.http.small_host import SmallHost, action, route
from tests.servers.programs import CHROMIUM


class Native(SmallHost):
    """A small host for a service class of the real kind."""

    def __init__(self, cls: type, name: str = "everything", flow: str = "test") -> None:
        super().__init__(object(), name, flow)
        self.spec: ServiceSpec = spec_of(cls(), name)


async def document(serve: Any, *hosts: SmallHost, **options: Any) -> Any:
    async with serve(*hosts, **options) as listener:
        answer = await call(listener.port, "GET", "/openapi.json")
        assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
        return answer.json


def references(thing: Any) -> set[str]:
    if isinstance(thing, dict):
        own = {thing["$ref"]} if isinstance(thing.get("$ref"), str) else set()
        return own.union(*map(references, thing.values()))
    return set().union(*map(references, thing)) if isinstance(thing, list) else set()


async def test_the_document_is_valid_and_closed(serve: Any) -> None:
    made = await document(serve, Native(everything.Everything))
    definitions.OPENAPI_31_VALIDATOR.validate(made)
    for reference in references(made):
        place = made
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]
    for schema in made["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": made["components"]})
    names = [one["operationId"] for item in made["paths"].values() for one in item.values()]
    assert len(names) == len(set(names)) == 30 and all(re.fullmatch(r"\w+", name) for name in names)
    assert await document(serve, Native(everything.Everything)) == made


async def test_what_an_operation_says(serve: Any) -> None:
    made = await document(serve, Native(everything.Everything))
    query = made["paths"]["/query"]["get"]
    assert (query["summary"], query["description"]) == ("Every type that a query knows.", "Numbers, texts, times.")
    known = {one["name"]: one for one in query["parameters"]}
    assert known["number"]["required"] and not known["from"]["required"]
    assert known["percent"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 100, "default": 50}
    assert known["at"]["schema"] == {"type": "string", "format": "date-time"}
    assert [one["in"] for one in made["paths"]["/cookie"]["get"]["parameters"]] == ["cookie", "cookie"]
    removed = made["paths"]["/orders/{uid}"]["delete"]
    assert removed["deprecated"] and removed["summary"] == "remove" and "204" in removed["responses"]
    upload = made["paths"]["/upload"]["post"]["requestBody"]["content"]
    assert list(upload) == ["multipart/form-data"]
    properties = upload["multipart/form-data"]["schema"]["properties"]
    assert properties["document"] == {"type": "string", "format": "binary"}
    lines = made["paths"]["/lines"]["get"]["responses"]["200"]["content"]
    assert sorted(lines) == ["application/x-ndjson", "text/event-stream"]
    assert lines["text/event-stream"]["x-item"] == {"$ref": "#/components/schemas/Point"}
    assert list(made["paths"]["/everything/reset"]["post"]["responses"]) == ["200", "422", "default"]
    assert made["components"]["schemas"]["Point"]["description"].endswith("\nIt has two coordinates.")
    assert made["paths"]["/rest/{rest}"]


class Odd:
    """Types and names that are hard to tell."""

    @route("GET", "/one")
    @route("GET", "/one")
    async def one(self, depth: int = 1) -> Any: ...

    @route("GET", "/default")
    async def default(self, at: str | None = object()) -> None: ...  # type: ignore[assignment]

    @route("GET", "/untold")
    async def untold(self) -> asyncio.Event: ...  # type: ignore[empty-body]

    @action
    def act(self, value: int) -> int:
        return value


async def test_what_cannot_be_described_breaks_nothing(serve: Any) -> None:
    made = await document(serve, SmallHost(Odd()))
    definitions.OPENAPI_31_VALIDATOR.validate(made)
    good = made["paths"]["/untold"]["get"]["responses"]["200"]
    assert good["content"] == {"application/json": {"schema": {}}}
    assert "default" not in made["paths"]["/default"]["get"]["parameters"][0]["schema"]


async def test_sockets_and_keys_of_repetition_are_told() -> None:
    class Feed(Service):
        @websocket("/live/{room}")
        async def live(self, room: str, socket: Socket[None, everything.Point], last: int = 0) -> None:
            """Points as they come."""

        @websocket("/talk")
        async def talk(self, socket: Socket[everything.Point, str]) -> None: ...

        @post("/points")
        async def add(self, point: everything.Point) -> None: ...

        @put("/points")
        async def put(self, point: everything.Point) -> None: ...

        @native_action
        async def reset(self) -> None: ...

    async with Flow("plant").add(Feed()).running(transport="memory", http="127.0.0.1:0") as node:
        made = (await call(int(node.url.rpartition(":")[2]), "GET", "/openapi.json")).json
    definitions.OPENAPI_31_VALIDATOR.validate(made)
    point = {"$ref": "#/components/schemas/Point"}
    live, talk = made["x-websockets"]["/live/{room}"], made["x-websockets"]["/talk"]
    assert (live["summary"], live["tags"], live["sends"]) == ("Points as they come.", ["feed"], point)
    assert "receives" not in live and [each["name"] for each in live["parameters"]] == ["room", "last"]
    assert (talk["receives"], talk["sends"]) == (point, {"type": "string"})
    assert "Point" in made["components"]["schemas"]
    assert "/live/{room}" not in made["paths"]
    keys = {
        (path, method): [each["name"] for each in operation["parameters"] if each["in"] == "header"]
        for path, item in made["paths"].items()
        for method, operation in item.items()
    }
    assert keys == {
        ("/points", "post"): ["Idempotency-Key"],
        ("/points", "put"): [],
        ("/feed/reset", "post"): ["Idempotency-Key"],
    }


async def test_services_of_one_name_in_two_flows(serve: Any) -> None:
    class Left:
        @route("GET", "/left")
        async def read(self) -> int: ...  # type: ignore[empty-body]

    class Right:
        @route("GET", "/right")
        async def read(self) -> int: ...  # type: ignore[empty-body]

    made = await document(serve, SmallHost(Left(), flow="a"), SmallHost(Right(), flow="b"), SmallHost(Odd(), "other"))
    assert {tag["name"] for tag in made["tags"]} == {"a/lab", "b/lab", "other"}
    names = {one["operationId"] for item in made["paths"].values() for one in item.values()}
    assert {"a_lab_read", "b_lab_read", "other_one"} <= names


async def test_keys_are_told(serve: Any) -> None:
    keys = (ApiKey(name="ci", secret="sha256:" + "0" * 64),)
    made = await document(serve, SmallHost(Odd()), settings=HttpSettings(keys=keys))
    definitions.OPENAPI_31_VALIDATOR.validate(made)
    assert made["paths"]["/one"]["get"]["security"] == [{"bearer": []}, {"key": []}]
    assert set(made["components"]["securitySchemes"]) == {"bearer", "key"}


async def test_a_flow_may_stay_out(serve: Any) -> None:
    made = await document(serve, SmallHost(Odd()), settings=HttpSettings(docs=False))
    assert (made["paths"], made["tags"]) == ({}, [])


async def test_the_page_allows_itself_alone(serve: Any) -> None:
    async with serve(SmallHost(Odd())) as listener:
        answer = await call(listener.port, "GET", "/docs")
        page, policy = answer.body.decode(), answer.headers["content-security-policy"]
        for kind in ("script", "style"):
            code = page.partition(f"<{kind}>")[2].partition(f"</{kind}>")[0]
            digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(|innerHTML|style="|\son\w+=["']""", page)
        index = await call(listener.port, "GET", "/", headers={"accept": "text/html"})
        assert b"<a href=/docs>" in index.body


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_page_in_a_browser(serve: Any, scheme: Any) -> None:
    from playwright.async_api import async_playwright

    class Shop:
        """<script>alert(1)</script> & friends."""

        @route("GET", "/price/{item}")
        async def price(self, item: str, count: int = 1) -> dict[str, Any]:
            """What <b>it</b> costs."""
            return {"item": item, "count": count}

    troubles: list[str] = []
    async with serve(SmallHost(Shop(), "shop")) as listener, async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM.path(), args=["--no-sandbox"])
        page = await browser.new_page(color_scheme=scheme, viewport={"width": 390, "height": 800})
        page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.set_default_timeout(20_000)
        await page.goto(f"{listener.url}/docs")
        await page.locator("details.op").first.wait_for()
        await page.keyboard.press("/")
        await page.keyboard.type("price")
        await page.keyboard.press("Enter")
        card = page.locator("#shop_price")
        await card.locator("input[name=item]").fill("it's 1/2")
        await card.locator("input[name=count]").fill("3")
        await card.locator("input[name=count]").press("Enter")
        await card.locator(".status.good", has_text="200 OK").wait_for()
        assert '"count": 3' in await card.locator("pre").first.inner_text()
        assert f"curl '{listener.url}/price/it'\\''s%201%2F2?count=3'" in await card.inner_text()
        await card.locator("input[name=count]").fill("x")
        await card.locator("button.go").click()
        await card.locator(".status.bad", has_text="422 Unprocessable").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") == 390
        await browser.close()
    assert [one for one in troubles if "422" not in one] == []


async def test_the_page_asks_for_a_key_where_one_is_needed(serve: Any) -> None:
    from playwright.async_api import async_playwright

    secret = "0123456789abcdef0123456789abcdef"
    keys = (ApiKey(name="ci", secret="sha256:" + hashlib.sha256(secret.encode()).hexdigest()),)
    site = {"routes": Routes(keys=keys), "settings": HttpSettings(keys=keys)}
    async with serve(SmallHost(Odd()), **site) as listener, async_playwright() as driver:
        for path, status in [("/docs", 200), ("/openapi.json", 401), ("/metrics", 401), ("/lab/act", 401)]:
            method = "POST" if path == "/lab/act" else "GET"
            assert (await call(listener.port, method, path)).status == status
        browser = await driver.chromium.launch(executable_path=CHROMIUM.path(), args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        await page.goto(f"{listener.url}/docs")
        await page.locator("input[name=key]").fill("wrong")
        await page.locator("input[name=key]").press("Enter")
        await page.get_by_text("This key does not open it.").wait_for()
        await page.locator("input[name=key]").fill(secret)
        await page.locator("input[name=key]").press("Enter")
        card = page.locator("#lab_act")
        await card.locator("summary").first.click()
        await card.locator("textarea[name=body]").fill('{"value": 7}')
        await card.locator("button.go").click()
        await card.locator(".status.good", has_text="200 OK").wait_for()
        assert "Bearer $KEY" in await card.inner_text() and secret not in await page.content()
        await browser.close()


async def test_the_page_of_an_administration_in_a_browser() -> None:
    """It shows WebSockets, and says why its form cannot call another listener; the page beside the routes can."""
    from playwright.async_api import async_playwright

    class Feed(Service):
        @websocket("/talk")
        async def talk(self, socket: Socket[everything.Point, str]) -> None: ...

        @post("/points")
        async def add(self) -> int:
            return 1

    flow = Flow("plant", http=HttpSettings(admin=Admin(port=0), docs=True)).add(Feed())
    async with (
        flow.running(transport="memory", http="127.0.0.1:0") as node,
        async_playwright() as driver,
    ):
        main, admin = node.urls
        browser = await driver.chromium.launch(executable_path=CHROMIUM.path(), args=["--no-sandbox"])
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        for url, said in ((admin, f"the same page is at {main}/docs"), (main, "200 OK")):
            await page.goto(f"{url}/docs")
            talk = page.locator("#feed_talk")
            await talk.locator("summary").click()
            await talk.get_by_text("the client sends").wait_for()
            told = await talk.inner_text()
            assert "SOCKET" in told and "the client sends" in told and "Point" in told
            assert await talk.locator("button").count() == 0
            card = page.locator("#feed_add")
            await card.locator("summary").first.click()
            await card.locator("button.go").click()
            await card.get_by_text(said).wait_for()
        await browser.close()
