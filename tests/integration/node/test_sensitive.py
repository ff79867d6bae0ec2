"""No value of a sensitive field shows in anything that a node tells: of all kinds of bodies, running and stopped."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pydantic
import pytest

from junctor import Flow, Hold, Sensitive, Service, Target, action, connect, every, handler, message, post
from junctor.core.records import FieldTerm
from junctor.errors import JunctorError, SensitiveField
from junctor.flows import wire
from junctor.messages import Status
from junctor.node.capture.making import capture_of
from junctor.node.node import Node
from junctor.node.views import answers
from junctor.node.views.alerts import latest_alerts
from junctor.node.views.search import Filter
from junctor.node.views.stopped import StoppedNode
from junctor.observe.logfile import LogFile
from junctor.observe.logs import configure
from junctor.observe.prints import join_prints
from junctor.transports.base import Query


class Inner(msgspec.Struct, frozen=True, rename="camel"):
    card_no: Sensitive[str]
    shown: str = "shown"


@dataclass(frozen=True)
class AsDataclass:
    n: int
    text: Sensitive[str]
    number: Sensitive[int]
    inner: Inner
    many: list[Inner]
    named: dict[str, Annotated[str, Sensitive]]
    maybe: Sensitive[str] | None = None
    whole: Sensitive[Inner | None] = None
    child: AsDataclass | None = None


class AsStruct(msgspec.Struct):
    n: int
    text: Sensitive[str]
    pair: tuple[int, Sensitive[str]]
    price: Sensitive[float] = 0.0


class AsArray(msgspec.Struct, array_like=True):
    n: int
    text: Sensitive[str]


@attrs.define
class AsAttrs:
    n: int
    text: Sensitive[str]
    inner: Inner | None = None


class Below(pydantic.BaseModel):
    pin: Sensitive[str]


class AsModel(pydantic.BaseModel):
    n: int
    text: Annotated[str, Sensitive]
    below: list[Below] = []

    @pydantic.field_validator("n")
    @classmethod
    def check(cls, n: int) -> int:
        return n


class Extra(TypedDict):
    word: NotRequired[Sensitive[str]]


class Row(NamedTuple):
    n: int
    word: Sensitive[str]


@dataclass
class AsPlain:
    n: int
    extra: Extra
    row: Row


@dataclass
class Answer:
    n: int
    token: Sensitive[str]


BODIES = (AsDataclass, AsStruct, AsArray, AsAttrs, AsModel, AsPlain)


class Maker:
    """Bodies with values that nothing else has; ``values`` are all of them, as they could show."""

    def __init__(self) -> None:
        self.values: list[str] = []

    def word(self) -> str:
        word = f"{secrets.token_hex(6)} \"é'\n{secrets.token_hex(6)}" if len(self.values) % 3 else secrets.token_hex(30)
        self.values += word.split("\n")
        return word

    def number(self) -> int:
        number = 10**12 + secrets.randbelow(10**11)
        self.values.append(str(number))
        return number

    def inner(self) -> Inner:
        return Inner(self.word())

    def bodies(self, n: int) -> list[Any]:
        word = self.word
        child = AsDataclass(n, word(), self.number(), self.inner(), [], {})
        return [
            AsDataclass(
                n, word(), self.number(), self.inner(), [self.inner()], {"a": word()}, word(), self.inner(), child
            ),
            AsStruct(n, word(), (1, word()), self.number() + 0.5),
            AsArray(n, word()),
            AsAttrs(n, word(), self.inner()),
            AsModel(n=n, text=word(), below=[Below(pin=word())]),
            AsPlain(n, {"word": word()}, Row(1, word())),
        ]


def tell(service: Service, body: Any) -> None:
    """What careless code does with what it was given."""
    service.log.info("got %r", body)
    service.log.warning("as JSON %s", msgspec.json.encode(msgspec.to_builtins(body, enc_hook=dict)).decode())
    print("printed", body)
    try:
        raise ValueError(f"inner {body}")
    except ValueError:
        service.log.exception("caught %s", body)


class Refused(JunctorError):
    """Meant for the caller."""

    code = "refused"
    status = 422


class Careless(Service):
    """Tells everything; then does what ``n`` says: answers, fails, holds once."""

    held = False

    def _handle(self, body: Any) -> Answer:
        n = body.n if hasattr(body, "n") else body[0]
        tell(self, body)
        if n == 2:
            raise KeyError(body)
        if n == 3 and not Careless.held:
            Careless.held = True
            raise Hold(f"away: {body}", delay=0.01)
        text = body.text if hasattr(body, "text") else body.row.word
        return Answer(n, text[::-1])

    @handler
    async def on_dataclass(self, body: AsDataclass) -> Answer:
        return self._handle(body)

    @handler
    def on_struct(self, body: AsStruct) -> Answer:
        return self._handle(body)

    @handler
    async def on_array(self, body: AsArray) -> Answer:
        return self._handle(body)

    @handler
    def on_attrs(self, body: AsAttrs) -> Answer:
        return self._handle(body)

    @handler
    async def on_model(self, body: AsModel) -> Answer:
        return self._handle(body)

    @handler
    async def on_plain(self, body: AsPlain) -> Answer:
        return self._handle(body)


class Everything(Service):
    """Takes whatever comes."""

    @handler
    async def anything(self, body: Any) -> None:
        tell(self, body)
        if getattr(body, "n", 0) == 2:
            raise ValueError(f"{body}")


class Front(Service):
    """Gets values as arguments, sends them, and fails with them."""

    structs: Target[AsStruct, Answer]
    anything: Target[Any]

    @post("/front")
    async def front(self, body: AsStruct) -> str:
        tell(self, body)
        if body.n == 3:
            raise ValueError(f"{body}")
        if body.n == 4:
            raise Refused(f"{body}", where=f"{body.text}", fix=f"{body.pair}")
        answer = await self.structs.request(body)
        self.log.info("answered %s", answer)
        await self.anything.send(body)
        return "ok"

    @action
    def act(self, word: Sensitive[str], inner: Inner | None = None) -> str:
        self.log.info("word %s %s", word, inner)
        raise ValueError(f"no {word} {inner}")

    @every("1h")
    async def tick(self) -> None:
        """For a hop without a body."""


@pytest.fixture
def console() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    undo = configure("info", "human", stream)
    yield stream
    undo()


def plant(isolate: Any = "node") -> Flow:
    quick = {"attempts": 2, "initial": 0.0, "max": 0.0}
    flow = Flow("vault").add(Careless(), retry=quick, isolate=isolate).add(Everything(), retry=quick)
    return flow.add(Front(), connect={"structs": "careless", "anything": "everything"}, isolate=isolate)


async def settled(node: Node) -> None:
    async with asyncio.timeout(20):
        while any(host.depth.count for host in node.engine.hosts.values()):
            await asyncio.sleep(0.005)
    await node.engine.committed()


def told_by(archive: Any) -> str:
    """All that operators read of an archive."""
    filters = [Filter(limit=1000), Filter(limit=1000, status=["parked"]), Filter(limit=1000, text="shown")]
    parts: list[Any] = [answers.messages(archive, each, bodies=True) for each in filters]
    parts += [answers.trace(archive, view.id, whole=True) for view in parts[0]]
    parts += [answers.parked(archive, members=1000), latest_alerts(archive, 1000)]
    return msgspec.json.encode(parts).decode() + repr(parts)


def refuse_values(values: list[str], *texts: str) -> None:
    escaped = {form for value in values for form in (value, repr(value)[1:-1], json.dumps(value)[1:-1])}
    for text in texts:
        found = [value for value in escaped if value in text]
        assert not found, f"{found[0]} in {text[max(0, text.find(found[0]) - 200) : text.find(found[0]) + 80]}"


def posted(url: str, body: Any) -> str:
    request = urllib.request.Request(url, msgspec.json.encode(body), {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


@pytest.mark.parametrize(("transport", "isolate"), [("memory", "node"), ("sqlite", "node"), ("sqlite", "worker")])
async def test_no_value_shows_anywhere(
    short_dir: Path,
    transport: str,
    isolate: str,
    console: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    free_port: int,
) -> None:
    Careless.held = False
    maker = Maker()
    log_file = LogFile()
    log_file.open(short_dir)
    undo = [log_file.join(), join_prints()]
    texts: list[str] = []
    store = short_dir / "store"
    try:
        async with plant(isolate).running(transport=transport, store=store, http=f"127.0.0.1:{free_port}") as node:
            target = node.target("careless", Any, Answer)
            for n in (1, 2, 3):
                for body in maker.bodies(n):
                    try:
                        maker.values.append((await target.request(body, timeout=10)).token)
                    except JunctorError as error:
                        texts.append(str(error))
                    await node.target("everything", Any).send(body)
            for n in (1, 2, 3, 4):
                body = AsStruct(n, maker.word(), (1, maker.word()))
                maker.values += body.text[::-1].split("\n")
                texts.append(await asyncio.to_thread(posted, f"http://127.0.0.1:{free_port}/front", body))
            async with connect(store) as client:
                arguments = {"word": maker.word(), "inner": {"cardNo": maker.word()}}
                with pytest.raises(JunctorError) as refused:
                    await client.call("front", "act", **arguments)
                texts.append(str(refused.value))
            await settled(node)
            texts.append(await node.read(told_by))
            texts.append(msgspec.json.encode(node.status()).decode())
            sessions = {record.message.session_id for record in node.archive.search(Query(limit=1000))}
            captures = [await capture_of(node, session) for session in sorted(sessions)]
            texts.append(msgspec.json.encode(captures).decode())
            assert '"masked":["text"' in texts[-1]
            parked = sum(group.count for group in node.archive.parked())
            assert parked == 2 * len(BODIES) + 1  # one of them is asked for by a route
            await check_searches(node, maker)
    finally:
        for step in undo:
            step()
    maker.values = [value for value in maker.values if len(value) >= 4]
    assert len(maker.values) > 60
    out, err = capfd.readouterr()
    logs = "".join(path.read_text() for path in short_dir.glob("log*.jsonl"))
    assert (
        '"logger":"vault.careless"' in logs
        and "got " in logs
        and "caught " in logs
        and "printed" in out
        and "got " in console.getvalue()
    )
    refuse_values(maker.values, *texts, logs, console.getvalue(), out, err)
    if transport == "sqlite":
        down = StoppedNode(store)
        text = told_by(down._archive)
        down.close()
        assert '"***"' in text and "shown" in text
        refuse_values(maker.values, text)


async def check_searches(node: Node, maker: Maker) -> None:
    """A search does not tell by its hits what is masked."""
    for value in maker.values[:10]:
        assert node.archive.search(Query(text=value)) == []
        assert node.archive.search(Query(error=value)) == []
    found = node.archive.search(Query(text="shown", limit=2))
    assert len(found) == 2 and found[0].masked
    assert node.archive.search(Query(error="KeyError"))
    path = ("text",)
    with pytest.raises(SensitiveField, match='"text" is a sensitive field of '):
        node.archive.search(Query(fields=(FieldTerm(path, "=", "x"),)))
    with pytest.raises(SensitiveField):
        node.archive.search(Query(type="AsDataclass", fields=(FieldTerm(("whole", "cardNo"), "=", "x"),)))
    with pytest.raises(SensitiveField):
        node.archive.search(Query(type="AsDataclass", fields=(FieldTerm(("child", "text"), "=", "x"),)))
    assert node.archive.search(Query(type="AsStruct", fields=(FieldTerm(("n",), "=", 1),)))


@dataclass
class Marked:
    n: int
    name: Sensitive[str]


@message(name="Marked")
@dataclass
class NoLongerMarked:
    n: int
    name: str


async def test_a_class_that_lost_its_mark_masks_still(short_dir: Path) -> None:
    def vault(kind: Any) -> Flow:
        class Keeper(Service):
            @handler
            async def keep(self, body: kind) -> None: ...

        return Flow("keep").add(Keeper(), name="keeper")

    async with vault(Marked).running(store=short_dir / "store") as node:
        await node.target("keeper", Marked).send(Marked(1, "a long name"))
        await settled(node)
    async with vault(NoLongerMarked).running(store=short_dir / "store") as node:
        await node.target("keeper", NoLongerMarked).send(NoLongerMarked(2, "another name"))
        await settled(node)
        found = node.archive.search(Query(type="Marked"))
        assert [record.message.body for record in found] == [{"n": n, "name": "***"} for n in (2, 1)]
        assert [record.masked for record in found] == [("name",), ("name",)]


async def test_a_field_that_is_marked_later_is_masked_in_old_messages(short_dir: Path) -> None:
    class Fails(Service):
        @handler
        async def keep(self, body: NoLongerMarked) -> None:
            raise ValueError(f"no {body.name}")

    class Works(Service):
        @handler
        async def keep(self, body: Marked) -> None: ...

    async with Flow("keep").add(Fails(), name="keeper", retry={"attempts": 1}).running(store=short_dir / "s") as node:
        await node.target("keeper", NoLongerMarked).send(NoLongerMarked(1, "a long name"))
        await settled(node)
        assert "a long name" in told_by(node.archive)
    async with Flow("keep").add(Works(), name="keeper").running(store=short_dir / "s") as node:
        assert "a long name" not in told_by(node.archive)
        assert [record.status for record in node.archive.search(Query())] == [Status.PARKED]


async def test_a_type_that_comes_with_a_change_is_masked_also_when_the_node_is_down(short_dir: Path) -> None:
    class Before(Service):
        @handler
        async def keep(self, body: str) -> None: ...

    class After(Service):
        @handler
        async def keep(self, body: Marked) -> None: ...

    store = short_dir / "store"
    async with Flow("keep").add(Before(), name="keeper").running(store=store) as node:
        assert node.sensitive.known == {}
        await node.apply([wire(Flow("keep").add(After(), name="keeper"))], who="test")
        await node.target("keeper", Marked).send(Marked(1, "a long name"))
        await settled(node)
    down = StoppedNode(store)
    (view,) = down.messages(Filter(type="Marked"), bodies=True)
    down.close()
    assert (view.body, view.masked) == ({"n": 1, "name": "***"}, ["name"])


async def test_a_class_that_is_first_seen_when_it_is_sent(short_dir: Path) -> None:
    class Tells(Service):
        anything: Target[Any]

        @handler
        def tell(self, name: str) -> None:
            self.anything.send(Marked(1, name))

    store = short_dir / "store"
    flow = Flow("keep").add(Tells(), connect={"anything": "everything"}).add(Everything())
    async with flow.running(store=store) as node:
        await node.target("tells", str).send("a long name")
        await settled(node)
        assert node.sensitive.known == {"Marked": (("name",),)}
    down = StoppedNode(store)
    (view,) = down.messages(Filter(type="Marked"), bodies=True)
    down.close()
    assert view.body == {"n": 1, "name": "***"}


async def test_a_key_that_is_sensitive_is_masked_however_short(short_dir: Path) -> None:
    class Keeper(Service):
        @handler
        async def keep(self, body: Marked) -> None: ...

    async with Flow("keep").add(Keeper(), key="name").running(store=short_dir / "store") as node:
        await node.target("keeper", Marked).send(Marked(1, "ab"))
        await settled(node)
        (found,) = node.archive.search(Query())
        assert found.message.key == "***"


async def test_what_the_engine_reads_is_whole(short_dir: Path) -> None:
    got: list[Marked] = []

    class Keeper(Service):
        @handler
        async def keep(self, body: Marked) -> None:
            got.append(body)
            if len(got) == 1:
                raise ValueError

    flow = Flow("keep").add(Keeper(), retry={"attempts": 1})
    async with flow.running(store=short_dir / "store") as node:
        await node.target("keeper", Marked).send(Marked(1, "a long name"))
        await settled(node)
        (parked,) = await node.read(lambda archive: archive.search(Query()))
        assert parked.message.body == {"n": 1, "name": "***"}
        async with connect(node.directory) as client:
            await client.ask("resend", Any, messages=["1"], body={"n": 5, "name": "***"})
        while len(got) < 2:
            await asyncio.sleep(0.005)
    assert got == [Marked(1, "a long name"), Marked(5, "a long name")]
