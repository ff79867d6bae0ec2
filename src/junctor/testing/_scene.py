"""What a replay runs: one service with its code as it is here, and the recording in the place of all others."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.hop import current
from junctor.core.outcome import Park
from junctor.core.policy import Policies, PoolPolicy, RetryPolicy
from junctor.core.port import Link, Port
from junctor.core.spec import Bind, Call, Context, HandlerSpec, ServiceSpec, Wire, service_address, service_name
from junctor.errors import ConfigurationError, nearest
from junctor.flows import FlowModel, Item, wire
from junctor.flows.files.written import declared_of
from junctor.messages import Kind, Message, MessageType, codec, parse_id, type_name
from junctor.node.capture.file import CapturedHop
from junctor.testing._recording import Delivery, Recording, in_time

if TYPE_CHECKING:
    from junctor.testing._stage import Testable

__tracebackhide__ = True  # of pytest: a failure is shown where the test is

FOREVER = 10.0 * 365 * 86400
"""Seconds that nobody waits for a reply that did not come in the recording either."""

_PEER = "recording"
"""The dialect of services that stand for others."""


class Scene:
    """``active`` is the delivery that runs, ``raised`` what its handler raised, ``unrecorded`` the numbers of requests
    that the recording does not have. ``type_named`` finds the types of the service, once it runs."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.active: Delivery | None = None
        self.raised: BaseException | None = None
        self.unrecorded: set[int] = set()
        self.type_named: Callable[[str], MessageType | None] = lambda name: None
        self._names = _names_of(recording)

    def begin(self, delivery: Delivery) -> None:
        self.active, self.raised = delivery, None

    def recorded(self, address: str) -> str:
        """The address in the recording of one here."""
        return self._names.get(address.rpartition("/")[2], address)

    def here(self, service: str) -> str:
        """The name here of a service of the recording, where it has one: as code names it, or its address."""
        return next((name for name, address in self._names.items() if address == service), service)

    # The flow -----------------------------------------------------------------------------------------------

    def model(self, subject: Testable) -> FlowModel:
        """A flow of the same name, with the service, and others under the same addresses as far as they are of it.

        :raises ConfigurationError: the service is not in the flow, or cannot be made.
        """
        given = _flow_of(subject)
        item = self._alone(subject) if given is None else self._of(given)
        source = self._replayed(item.spec())
        model = FlowModel(self.recording.flow or "replay")
        model.put(msgspec.structs.replace(item, source=source, settings={}, schedules={}, isolate="node"))
        for name in self._names:
            peer = self._peer(name)
            model.put(Item(name=name, source=peer, policies=peer.policies))
        return model

    def _of(self, flow: FlowModel) -> Item:
        """The service of a flow, with its connections there."""
        name = self.recording.service
        items = {item.name: item for item in flow.services}
        if name not in items:
            fix = nearest(name, items).strip() or None
            raise ConfigurationError(f'the flow has no service "{name}"', where="replay()", fix=fix)
        plan = next(plan for plan in wire(flow).plan.services if plan.spec.name == name)
        here = f"{flow.name}/"
        connect = {
            target: tuple(Wire(self._name_for(one.to.removeprefix(here)), one.when) for one in wires)
            for target, wires in plan.connect.items()
        }
        return msgspec.structs.replace(items[name], connect=connect)

    def _alone(self, subject: Any) -> Item:
        """A service without a flow, with the recorded settings where it is a class, and the recorded connections."""
        recording, facts = self.recording, self.recording.facts
        settings = {}
        if facts is not None and isinstance(subject, type):
            known = declared_of(subject).keys() - set(facts.hidden)
            settings = {name: value for name, value in facts.settings.items() if name in known}
        name, flow = recording.service, recording.flow or "replay"
        targets = FlowModel(flow).add(subject, name, settings=settings).services[0].spec().targets
        connect = {target.name: self._ways(target.name, target.request, target.optional) for target in targets}
        connect = {target: ways for target, ways in connect.items() if ways}
        return FlowModel(flow).add(subject, name, settings=settings, connect=connect).services[0]

    def _ways(self, target: str, request: Any, optional: bool) -> list[Any]:
        facts = self.recording.facts
        if facts is not None and target in facts.connections:
            return [{"to": self._name_for(way.to), **_when(way.when)} for way in facts.connections[target]]
        found = [{"to": self._name_for(address)} for address in self.recording.led_to(type_name(request))]
        return found or ([] if optional else [{"to": self._name_for("unrecorded")}])

    def _name_for(self, place: str) -> str:
        """The name here of a service of the recording, by its address or its name in the flow."""
        flow = self.recording.flow
        address = place if "/" in place else service_address(flow, place)
        if address == self.recording.address:
            return self.recording.service
        known = {recorded: name for name, recorded in self._names.items()}
        if address not in known:
            known[address] = _free(address, flow, self._names)
            self._names[known[address]] = address
        return known[address]

    # The service --------------------------------------------------------------------------------------------

    def _replayed(self, spec: ServiceSpec) -> ServiceSpec:
        """Only its handlers run, once each, and what they raise is kept."""
        build = spec.build

        def built(context: Context) -> Any:
            port: Any = _ReplayPort(context.port, self)
            return build(msgspec.structs.replace(context, port=port))

        return msgspec.structs.replace(
            spec,
            build=built,
            handlers=tuple(msgspec.structs.replace(one, bind=self._kept(one)) for one in spec.handlers),
            schedules=(),
            routes=(),
            sockets=(),
            actions=(),
            main=None,
            isolation="node",
            policies=msgspec.structs.replace(spec.policies, retry=RetryPolicy(attempts=1)),
        )

    def _kept(self, handler: HandlerSpec) -> Bind:
        bind = handler.bind

        def bound(instance: Any) -> Call:
            call = bind(instance)

            def blocking(body: Any) -> Any:
                if self._is_its_own():
                    return None
                with self._keeping():
                    return call(body)

            async def waiting(body: Any) -> Any:
                if self._is_its_own():
                    return None
                with self._keeping():
                    return await call(body)

            return blocking if handler.blocking else waiting

        return bound

    def _is_its_own(self) -> bool:
        """Whether the service sent the message to itself: the recording has it as a delivery of its own."""
        hop = current.get()
        return hop is not None and hop.message is not None and hop.message.source == self.recording.address

    @contextlib.contextmanager
    def _keeping(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.raised = error
            raise Park(str(error)) from error  # one attempt, whatever the policy says

    # The others ---------------------------------------------------------------------------------------------

    def _peer(self, name: str) -> ServiceSpec:
        """A service that answers as the recording does."""
        address = self._names.get(name, service_address(self.recording.flow, name))

        def build(context: Context) -> Port:
            return context.port

        def bind(port: Port) -> Call:
            async def answer(body: Any) -> Any:
                hop = current.get()
                if hop is None or hop.message.kind is not Kind.REQUEST:
                    return None
                return await self._answer(address, hop.message, port)

            return answer

        subscribes = bool(self.recording.peers.get(address))
        names = ["any", *self.recording.handlers_at(address)]
        return ServiceSpec(
            name=name,
            build=build,
            handlers=tuple(
                HandlerSpec(name=one, accepts=Any, replies=Any, bind=bind, subscribes=subscribes and one == "any")
                for one in names
            ),
            dialect=_PEER,
            policies=Policies(pool=PoolPolicy(size=64)),
        )

    async def _answer(self, address: str, message: Message, port: Port) -> Any:
        body = plain_body(message)
        asked = self.active.answer(address, message.type, body) if self.active is not None else None
        if asked is None:
            self.unrecorded.add(message.seq)
            raise _NotRecorded(f"the recording has no further request {message.type} to {address} in this delivery")
        if not in_time(asked.reply, asked):
            await port.sleep(FOREVER)
        if asked.began is not None:
            await port.sleep(max(0.0, (asked.began - asked.time).total_seconds() + asked.seconds))
        if asked.status != "done":
            raise _as_recorded(asked)
        return self._reply(asked, address)

    def _reply(self, asked: CapturedHop, address: str) -> Any:
        if asked.reply is None:
            return None
        kind = self.type_named(asked.reply.type)
        if kind is None:
            return asked.reply.body
        return kind.read(
            codec.encode(asked.reply.body), asked.reply.version, f"reply of {address}, message {asked.number}"
        )


class _NotRecorded(Park):
    """A request that the recording does not have."""


_NotRecorded.__qualname__ = _NotRecorded.__name__ = "NotRecorded"


class _ReplayPort:
    """The port of the service: its message is the recorded one, with the ids and headers that it had."""

    def __init__(self, port: Port, scene: Scene) -> None:
        self._port = port
        self._scene = scene

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    def link_to(self, service: str, request: Any, reply: Any = None, *, handler: str | None = None) -> Link:
        """As of any port; a service of another flow is found by its recorded address."""
        return self._port.link_to(self._scene.here(service), request, reply, handler=handler)

    def message(self) -> Message | None:
        message, active = self._port.message(), self._scene.active
        if message is None or active is None:
            return message
        hop = active.hop
        node, seq = parse_id(hop.id)
        return msgspec.structs.replace(
            message,
            seq=seq,
            node=node,
            source=hop.source,
            cause=hop.cause,
            time=int(hop.time.timestamp() * 1e6) * 1000,
            headers=hop.headers,
        )


def _names_of(recording: Recording) -> dict[str, str]:
    """Names for the services that the recording stands for, with their recorded addresses."""
    names = {recording.service: recording.address}
    for address in recording.peers:
        names[_free(address, recording.flow, names)] = address
    del names[recording.service]
    return names


def _free(address: str, flow: str, taken: dict[str, str]) -> str:
    """A name for an address: its own where it is of the flow."""
    of, _, name = address.rpartition("/")
    free = name if of == flow else service_name(address.replace("/", "-"))
    while free in taken:
        free += "-2"
    return free


def _flow_of(subject: Testable) -> FlowModel | None:
    if isinstance(subject, FlowModel):
        return subject
    if isinstance(subject, str) or hasattr(subject, "__fspath__"):
        from junctor.flows import load

        return load(str(subject))
    return None


def _when(text: str) -> dict[str, str]:
    return {"when": text} if text else {}


def plain_body(message: Message) -> Any:
    """The body of a message as JSON values."""
    return plain(message.payload)


def plain(payload: Any) -> Any:
    """A payload as JSON values."""
    return msgspec.json.decode(payload) if isinstance(payload, bytes) else codec.to_plain(payload)


def _as_recorded(asked: CapturedHop) -> Exception:
    """The error that the other service had, of a class with the same name."""
    error = asked.error
    name, text = (error.type, error.text) if error is not None else ("Park", "no reason recorded")
    kind: type[Exception] = type(name.replace("\0", ""), (Park,), {})
    return kind(text)
