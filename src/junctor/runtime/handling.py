"""The work of a service apart from its life: which bodies it takes, and what becomes of each delivery."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from junctor.core.faults import Faults
from junctor.core.hop import Delivery, Hop, again, anew
from junctor.core.lifecycle import Lifecycle
from junctor.core.outcome import Failure, Outcome, Reply, Settlement, is_rest
from junctor.core.port import Link
from junctor.core.retry import decide
from junctor.core.routing import refused_unnamed
from junctor.core.spec import ServicePlan, ServiceSpec, TargetSpec, service_address
from junctor.errors import WiringError, nearest
from junctor.messages import MessageType, Status, TypeRegistry, type_name
from junctor.observe.frames import own_line
from junctor.observe.hidden import note_hidden
from junctor.observe.logs import FAILURE
from junctor.runtime import debugger
from junctor.runtime.deadlines import nanoseconds
from junctor.runtime.failures import failure_of, without_hidden_values, wrong_reply
from junctor.runtime.inbox import Inbox
from junctor.runtime.intake import bounded
from junctor.runtime.keys import key_reader
from junctor.runtime.runs import suspended_by
from junctor.runtime.telling import Telling
from junctor.transports.base import AlertRecord, Commit, Settle

if TYPE_CHECKING:
    from junctor.core.outcome import StateWrite
    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.runtime")


class Handling:
    """A service of a flow with its queue. Everything here runs on the node's event loop."""

    lifecycle: Lifecycle

    def __init__(self, engine: Engine, flow: str, plan: ServicePlan, types: TypeRegistry, inbox: Inbox) -> None:
        spec = plan.spec
        self.engine = engine
        self.transport = engine.transport
        self.dispatcher = engine.dispatcher
        self.flow = flow
        self.service = spec.name
        self.address = service_address(flow, spec.name)
        self.spec: ServiceSpec = spec
        self.types = types
        for kind in spec.types:
            self.types.register(kind)
        self.inbox = inbox
        self.mailbox = inbox.mailbox
        self.counters = inbox.counters
        self.refill = inbox.refill
        self.pending_state = inbox.pending_state
        self.runs = inbox.runs
        self.links: dict[str, tuple[Link, ...]] = {}
        self.last_error = ""
        self.last_error_at = 0
        self.rests = False
        self.since = 0
        self.faults = Faults()
        self._telling = Telling(engine.clock, self._tell_rest)
        self._plan = plan
        self._shares = engine.transport.capabilities.by_reference
        self._key_of = key_reader(spec.policies.pool.key)
        self.keyed = self._key_of is not None
        in_node = spec.isolation == "node" and not engine.transport.capabilities.immediate
        self.ahead = spec.runs == "workflow" and in_node

    def note_error(self, failure: Failure) -> None:
        """Keep the error and its time for who asks how the service is, and whether it is a planned rest."""
        self.rests = is_rest(failure)
        self.last_error = failure.text if self.rests else f"{failure.type}: {failure.text}"
        self.last_error_at = self.engine.clock.time_ns()

    # Types and links ----------------------------------------------------------------------------------------

    def resolve(self, hosts: Mapping[str, Any], types: TypeRegistry) -> dict[str, tuple[Link, ...]]:
        """Where the declared targets lead.

        :param hosts: the services of the node by address.
        :param types: those of the flow of this service.
        :raises WiringError: a service is not there, or does not handle the type.
        """
        return {target.name: tuple(self._links_of(target, hosts, types)) for target in self.spec.targets}

    def _links_of(self, target: TargetSpec, hosts: Mapping[str, Any], types: TypeRegistry) -> Iterator[Link]:
        for wire in self._plan.connect.get(target.name, ()):
            host = hosts.get(wire.to)
            if host is None:
                fix = nearest(wire.to, hosts).strip() or None
                raise WiringError(f"there is no service {wire.to!r}", where=f"{self.address}.{target.name}", fix=fix)
            link: Link = host.link(target.request, target.reply, types=types, foreign=host.flow != self.flow)
            yield msgspec.structs.replace(link, when=wire.when)

    def connect(self, links: Mapping[str, tuple[Link, ...]]) -> None:
        """Let the targets lead there. Code that holds a link already goes on with the same object."""
        for name, new in links.items():
            old = self.links.get(name)
            if old is None or len(old) != len(new):
                self.links[name] = new
                continue
            for held, fresh in zip(old, new, strict=True):
                for field in Link.__struct_fields__:
                    setattr(held, field, getattr(fresh, field))

    def link(
        self,
        request: Any,
        reply: Any = None,
        handler: str = "",
        types: TypeRegistry | None = None,
        foreign: bool = False,
    ) -> Link:
        """A link to this service for bodies of ``request``, or to its handler of this name.

        :param types: those of the sender, where they are not those of this service.
        :param foreign: the classes of the sender may be others of the same names.
        :raises WiringError: no handler of this service takes them, or has the name.
        """
        if handler:
            request = self._accepted_by(handler, request)
        elif refused := refused_unnamed(self.spec, self.service):
            raise WiringError(refused[0], where=self.address, fix=refused[1])
        sender = self.types if types is None or handler else types
        accepts = sender.register(request)
        if not self.accepts(accepts):
            names = ", ".join(sorted(self._handled()))
            raise WiringError(
                f"no handler takes {accepts.name}", where=self.address, fix=f"It handles {names or 'nothing'}."
            )
        # A named handler may get what its sender made of plain data, another flow may have another class of this name,
        # and nothing is shared with a worker process: bodies for them are always read.
        shares = not foreign and not handler and self.transport.capabilities.by_reference
        shares = shares and self.spec.isolation == "node"
        by_reference = shares and (accepts.frozen or accepts.cls is Any)
        replies = sender.register(reply) if reply is not None and reply is not Any else None
        wait = nanoseconds(self.spec.policies.timeout)
        return Link(self.address, accepts, replies, by_reference, wait, handler, takes=self._taken())

    def _taken(self) -> tuple[Any, ...]:
        """The classes that its handlers take; none where one of them takes anything."""
        kinds = tuple(dict.fromkeys(spec.accepts for spec in self.spec.handlers if not spec.by_name))
        return () if Any in kinds else kinds

    def _accepted_by(self, handler: str, request: Any) -> Any:
        named = [spec.accepts for spec in (*self.spec.handlers, *self.spec.inner) if spec.name == handler]
        if not named:
            fix = nearest(handler, {spec.name for spec in self.spec.handlers}).strip()
            raise WiringError(f"there is no handler {handler!r}", where=self.address, fix=fix or None)
        if request is Any:
            return named[0]
        if request not in named and Any not in named:
            raise WiringError(f"it does not take {type_name(request)}", where=f"{self.address}.{handler}")
        return request

    def _handled(self) -> dict[str, Any]:
        return {self.types.register(handler.accepts).name: handler for handler in self.spec.handlers}

    def accepts(self, kind: MessageType) -> bool:
        handled = self._handled()
        return kind.name in handled or "any" in handled or (kind.cls is Any and bool(handled))

    def encode(self, body: Any) -> bytes:
        return self.types.of(body).encode(body)

    def key_of(self, body: Any) -> str | None:
        return None if self._key_of is None else self._key_of(body)

    # Delivery -----------------------------------------------------------------------------------------------

    def reply_of(self, value: Any, kind: MessageType | None) -> Reply | None:
        """The answer that a handler's return value is.

        :raises EncodeError: it is not of the declared type, or cannot be encoded.
        """
        if value is None and (kind is None or kind.fits(None)):
            return None
        if kind is not None and type(value) is kind.cls:
            return self._reply(kind, value)
        if kind is None or kind.cls is Any:
            kind = self.types.of(value)
        elif not kind.fits(value):
            raise wrong_reply(kind.name, value, self.address)
        return self._reply(kind, value)

    def _reply(self, kind: MessageType, value: Any) -> Reply:
        if kind.frozen and self._shares:
            return Reply(kind.name, value, kind.version)
        data = kind.encode(value)
        bounded(data, self.dispatcher.max_body, f"the reply {kind.name}", self.address)
        return Reply(kind.name, data, kind.version)

    def outcome_of(self, error: BaseException, delivery: Delivery) -> Outcome:
        """The outcome of a delivery that raised: nothing of it counts but its logs and the failure."""
        note_hidden(error, delivery)
        return self.outcome_of_failure(failure_of(error), delivery)

    def outcome_of_failure(self, failure: Failure, delivery: Delivery, part: Outcome | None = None) -> Outcome:
        """The same for a failure that came as data, with the logs in ``part``."""
        if delivery.hides is not None:
            failure = without_hidden_values(failure, delivery.hides)
        policies = self.spec.policies
        if debugger.attached():
            # Who looks at a failure step by step must not use up the attempts by that.
            delivery.attempt -= 1
        settlement, delay = decide(failure, policies.retry, policies.hold, max(1, delivery.attempt), delivery.probes)
        now = self.engine.clock.time_ns()
        self.note_error(failure)
        if settlement is not Settlement.HOLD:
            self._tell(delivery, failure, settlement is Settlement.PARK)
        return Outcome(
            settlement,
            logs=(part.logs if part is not None else delivery.logs) or (),
            failure=failure,
            delay=delay,
            # One that is given up before its handler runs has its end alone: that is when it began, too.
            started=delivery.started or now,
            duration=now - delivery.started if delivery.started else 0,
            runs=suspended_by(self, delivery, failure) if settlement is Settlement.PARK else (),
        )

    def redeliver(self, delivery: Delivery) -> None:
        """Deliver a message once more whose outcome could not be committed. No attempt is spent."""
        payload = delivery.message.payload
        self.mailbox.depth.count += 1
        self.mailbox.depth.bytes += len(payload) if type(payload) is bytes else 0
        self.mailbox.rejoin(again(delivery, Settlement.HOLD))

    def take_back(self, deliveries: Sequence[Delivery]) -> None:
        """Deliveries that did not come to their end. When only the service starts again they begin again in their
        places; when the node stops they return to the store."""
        for delivery in deliveries:
            delivery.open, delivery.given_up = False, True
        if not self.engine.stopping:
            self.mailbox.untake([anew(delivery) for delivery in deliveries])
            return
        for delivery in deliveries:
            self.dispatcher.put_back(delivery)

    def keep_writes(self, writes: Any, commit: Commit) -> None:
        """State and runs on their way to the store are what the next delivery reads."""
        if commit.runs:
            self.runs.keep(commit.runs, self.transport.run, commit)
        write: StateWrite
        for write in writes:
            self.pending_state[(write.key, write.name)] = (write.value, _version_after(write), commit)

    def drop_writes(self, commit: Commit, refused: bool) -> None:
        if commit.runs:
            self.runs.ended(commit, refused)
        for write in commit.writes:
            entry = self.pending_state.get((write.key, write.name))
            if entry is not None and entry[2] is commit:
                del self.pending_state[(write.key, write.name)]

    async def prepare(self, delivery: Delivery) -> None:
        """Before a repeated attempt: record that it is handed out, as for a first one, and load what earlier ones
        committed at savepoints."""
        await self.engine.committed(claims=(delivery.seq,))
        self.mailbox.claimed(delivery.seq)
        sent = await self.transport.sent_by(delivery.seq)
        delivery.sent = {entry.origin: entry for entry in sent} or None

    async def charge(self, delivery: Hop) -> None:
        """Record the attempt of a suspect before it runs: if the process dies again, it is known whose fault it is."""
        settle = Settle(delivery.seq, Status.CLAIMED, delivery.attempt)
        await self.engine.committed(settles=(settle,))

    def _tell(self, delivery: Delivery, failure: Failure, parked: bool) -> None:
        """What is raised to have a message retried or parked says enough by its text; of another error the first
        attempt shows where it came from, with the whole traceback, and later ones the user's own line. The last one
        says that the message is parked. Of many that are alike only some are told."""
        if not self._telling.tells(f"{failure.type} {failure.fingerprint}"):
            return
        place = failure.traceback.rstrip() if delivery.attempt <= 1 else own_line(failure.traceback)
        entered = f"{self.address}.{delivery.name}" if delivery.name else self.address  # no handler: it went no further
        what = failure.text
        for told in (f"{entered}: ", f"{entered} ", f"{self.address}: "):
            what = what.removeprefix(told)
        text = f"{failure.type}: {what}"
        if parked:
            tries = max(1, delivery.attempt)
            text = f"parked after {tries} attempt{'' if tries == 1 else 's'}: {text} (junctor trace {delivery.seq})"
        if place and failure.reaction is None:
            text = f"{text}\n{place}"
        log.warning("%s: %s", entered, text, extra={"hop": delivery, "event": FAILURE if parked else ""})

    def _tell_rest(self, kind: str, count: int) -> None:
        name = kind.partition(" ")[0] or "other errors"
        text = f"{self.address}: {count:,} more failures like the last: {name} (junctor parked)"
        log.warning("%s", text, extra={"service": self.address, "event": FAILURE})

    def log_failure(self, hop: Hop, failure: Failure) -> None:
        text = f"{failure.type}: {failure.text}\n{failure.traceback}"
        log.warning("%s.%s: %s", self.address, hop.name, text, extra={"hop": hop, "event": FAILURE})

    def fault(self, code: str, text: str, command: str) -> None:
        """Its code has told of an error.

        :param code: by which alert rules know it; empty for none.
        """
        self.faults.note(code, text, self.engine.clock.time_ns())
        self.alert("fault", f"{self.address}: {text}", command)

    def alert(self, kind: str, text: str, command: str = "junctor status") -> None:
        record = AlertRecord(self.engine.clock.time_ns(), kind, self.address, text, command)
        self.engine.note_alert(record)


def _version_after(write: StateWrite) -> int:
    return write.expected + 1 if write.value is not None else 0
