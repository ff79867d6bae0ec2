"""How large a conversation may be."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Asked, Conversation, Flow, Service, Target, handler, on_reply
from junctor.core.run import RunQuery
from junctor.testing import RunningFlow, running


@dataclass(frozen=True)
class Page:
    book: int
    text: str


class Library(Conversation):
    """Keeps what it gets."""

    pages: list[str] = []
    title: str = "a book"

    @handler(key="book")
    def on_page(self, page: Page) -> None:
        self.pages.append(page.text)


def turns(plant: RunningFlow) -> list[int]:
    return [run.turns for run in plant.node.archive.runs(RunQuery())]


async def test_what_is_too_large_is_refused_with_its_attributes_and_told_before() -> None:
    async with running(Flow("f").add(Library)) as plant:
        plant.node.engine.dispatcher.max_body = 40_000
        for _ in range(3):
            await plant.send("library", Page(1, "x" * 9_000))
        told = [log.text for log in plant.logs if "of at most 40,000" in log.text]
        assert told == ["Library, conversation 1 has 18,069 bytes, of at most 40,000: pages 18,007, title 8"]
        with plant.expect_parked(
            "NotStorable", match=r"has 4\d,\d{3} bytes, the limit is 40,000: pages 4\d,\d{3}, title"
        ):
            for _ in range(2):
                await plant.send("library", Page(1, "x" * 9_000))
        assert turns(plant) == [5], "one without a callback, and four pages"
        await plant.send("library", Page(1, "a short one"))
        assert turns(plant) == [6], "it goes on"


class Copies(Service):
    @handler
    async def copy(self, page: Page) -> str:
        await self.sleep("1h")
        return "copied"


class Copying(Conversation):
    """Keeps what it asked, for the callback."""

    copies: Target[Page, str]

    @handler
    def on_book(self, number: int) -> None:
        for _ in range(3):
            self.copies.ask(Page(number, "x" * 9_000), name="page")

    @on_reply
    def on_copy(self, text: str, asked: Asked) -> None: ...


async def test_requests_that_are_kept_count_too() -> None:
    async with running(Flow("f").add(Copying).add(Copies)) as plant:
        plant.node.engine.dispatcher.max_body = 20_000
        with plant.expect_parked("NotStorable", match="the limit is 20,000: the request page 9,0"):
            await plant.send("copying", 1)
        assert turns(plant) == []
        assert plant.received("copies") == []
