"""The listeners of a node: the routes, actions and WebSockets of its services, health, metrics, and a page that lists
them."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from junctor import __version__
from junctor.core.lifecycle import DELIVERING, State
from junctor.core.spec import ServiceSpec
from junctor.errors import ConfigurationError, PortInUse
from junctor.flows import Wiring
from junctor.http.access.guard import Guard, is_loopback
from junctor.http.app import Site
from junctor.http.endpoints import end_streams
from junctor.http.hosting import Host
from junctor.http.idempotency import Ledger
from junctor.http.listening.listener import Listener, bind
from junctor.http.pages.docs import open_docs
from junctor.http.pages.health import open_health
from junctor.http.pages.index import open_index
from junctor.http.pages.metrics import open_metrics
from junctor.http.pages.openapi import open_openapi
from junctor.http.pages.status import open_status
from junctor.http.routes import Opened, Routes
from junctor.http.settings import HttpSettings
from junctor.node.address import Address
from junctor.node.layout import ADMIN, MAIN, Place, lay_out
from junctor.node.notes import EngineNotes

if TYPE_CHECKING:
    import ssl

    from junctor.runtime.engine import Engine

log = logging.getLogger("junctor.http")

CHANGE_GRACE = 5.0
"""Seconds that requests on a listener which nobody uses any more have to end."""


class Door:
    """One listener of the node with what it answers."""

    def __init__(self, place: Place, site: Site, listener: Listener) -> None:
        self.place = place
        self.site = site
        self.listener = listener

    def fits(self, place: Place) -> bool:
        """Whether the listener can go on as this place, without being closed."""
        mine = self.place
        same = mine.flexible and place.flexible or mine.at == place.at
        return same and (mine.tls is None) == (place.tls is None)


class Entries:
    """What the pages of the node tell of its listeners: their routes, actions and WebSockets as they are now.

    :param shown: by what their flow says about documentation: True, False or nothing.
    """

    def __init__(self, sites: list[Site], shown: tuple[bool | None, ...] = (True, False, None)) -> None:
        self._sites = sites
        self._shown = shown

    def __iter__(self) -> Iterator[Opened]:
        for site in self._sites:
            for one in (*site.routes, *site.routes.sockets):
                if one.settings.docs in self._shown:
                    yield one


class _Planned(NamedTuple):
    """What a change leads to: listeners that stay, with their new place, that leave, that open."""

    sections: dict[str, HttpSettings]
    hosts: list[Host]
    staying: list[tuple[Door, Place, ssl.SSLContext | None]]
    leaving: list[Door]
    fresh: list[Door]
    tables: dict[Door, Routes]


class Web:
    """HTTP of one node.

    :param flows: the flows of the node; their services are in the engine already.
    :param address: what was said about the main listener; None: it exists only where a flow gives it a port.
    :param name: the name of the node.
    :param closed: there is no listener until the first :meth:`change`.
    :raises ConfigurationError: two services want the same path, or a reserved one; or ``http`` sections contradict each
        other.
    """

    def __init__(
        self, engine: Engine, flows: Sequence[Wiring], address: Address | None, name: str, *, closed: bool = False
    ) -> None:
        self._engine = engine
        self._address = address
        self._name = name
        self._since = time.monotonic()
        self._ledger = Ledger(EngineNotes(engine))
        self._hosts: list[Host] = list(engine.hosts.values())
        self._sections = _sections(flows)
        self._doors: list[Door] = []
        self._watches = False
        if not closed:
            self._doors = [self._made(place, self._sections) for place in lay_out(self._sections, address)]
            self._fill(self._doors)
            self._watch()

    @property
    def url(self) -> str:
        """The address of the main listener to open on this machine, empty without one."""
        return self.urls[0] if self._doors else ""

    @property
    def urls(self) -> list[str]:
        """The addresses of all listeners, the main one first."""
        return [door.listener.url for door in sorted(self._doors, key=lambda door: door.place.name != MAIN)]

    def url_of(self, flow: str) -> str:
        """The address of the listener of a flow with the prefix of its routes, empty where it has none."""
        door = next((door for door in self._doors if flow in door.place.flows), None)
        section = self._sections.get(flow)
        return "" if door is None else f"{door.listener.url}{section.path if section is not None else ''}"

    def site_of(self, flow: str) -> Site:
        """What the listener of a flow answers. Where the node has an address, each flow has one."""
        return next(door.site for door in self._doors if flow in door.place.flows)

    async def start(self) -> None:
        """Listen.

        :raises PortInUse: another process listens there, and the port was asked for; nothing is open then.
        :raises ConfigurationError: an address or a file of TLS cannot be used.
        """
        await self._open(self._doors)

    async def stop(self, grace: float) -> None:
        """Take no new requests, let those that run finish for ``grace`` seconds. Idempotent."""
        for host in self._hosts:
            end_streams(host)  # they would go on for ever
        await self._close(self._doors, grace)

    async def change(self, flows: Sequence[Wiring], gone: Sequence[Host], come: Sequence[Host]) -> None:
        """Go over to other services while requests are answered. A listener that stays is not closed, and its clients
        stay connected; requests that run end on the service where they began, WebSockets are told to come again.

        Certificates are read again from their files.

        :param flows: all flows of the node from now on.
        :param gone: services that leave; ``come`` those that take their place or are new, running or about to.
        :raises ConfigurationError: paths clash, sections contradict each other, or a certificate cannot be used;
            nothing has changed then.
        :raises PortInUse: a new listener cannot be opened; nothing has changed then.
        """
        planned = self._planned(flows, gone, come)
        await self._open(planned.fresh)
        # From here on nothing fails.
        self._watch()
        self._doors = [*(door for door, _, _ in planned.staying), *planned.fresh]
        self._hosts, self._sections = planned.hosts, planned.sections
        for door, place, context in planned.staying:
            door.place = place
            door.listener.change(place.limits, place.tls, context, sockets=bool(planned.tables[door].sockets))
        self._fill(self._doors)
        for host in gone:
            self._send_away(host)
        await self._close(planned.leaving, CHANGE_GRACE)

    def check(self, flows: Sequence[Wiring], gone: Sequence[Host], come: Sequence[Host]) -> None:
        """Find what :meth:`change` would find, and change nothing.

        :raises ConfigurationError: as :meth:`change`.
        :raises PortInUse: as :meth:`change`.
        """
        for door in self._planned(flows, gone, come).fresh:
            door.listener.prepare(door.place.tls)
            if door.place.port and not door.place.flexible:
                bind(door.place.host, door.place.port).close()

    def _planned(self, flows: Sequence[Wiring], gone: Sequence[Host], come: Sequence[Host]) -> _Planned:
        """:raises ConfigurationError: as :meth:`change`."""
        sections = _sections(flows)
        hosts = [host for host in self._hosts if not any(host is one for one in gone)] + list(come)
        places = lay_out(sections, self._address)
        kept = {door.place.name: door for door in self._doors}
        staying = [(kept[place.name], place) for place in places if self._stays(kept.get(place.name), place)]
        leaving = [door for door in self._doors if all(door is not one for one, _ in staying)]
        fresh = [self._made(place, sections) for place in places if all(place is not one for _, one in staying)]
        for door in fresh:
            _check_free(door.place, leaving)
        contexts = [(door, place, door.listener.prepare(place.tls)) for door, place in staying]
        tables = self._tables([*staying, *((door, door.place) for door in fresh)], sections, hosts)
        return _Planned(sections, hosts, contexts, leaving, fresh, tables)

    def _watch(self) -> None:
        if not self._watches:
            self._watches = True
            self._engine.watchers.append(self._watched)

    @staticmethod
    def _stays(door: Door | None, place: Place) -> bool:
        return door is not None and door.fits(place)

    # Making ---------------------------------------------------------------------------------------------------

    def _made(self, place: Place, sections: Mapping[str, HttpSettings]) -> Door:
        site = Site()
        site.live.limit = place.limits.sockets
        return Door(place, site, self._listener(place, site, place.port, _is_protected(place, sections)))

    def _listener(self, place: Place, site: Site, port: int, protected: bool) -> Listener:
        return Listener(
            site,
            spawn=self._engine.supervisor.start,
            host=place.host,
            port=port,
            limits=place.limits,
            tls=place.tls,
            protected=protected,
        )

    def _fill(self, doors: list[Door]) -> None:
        for door, routes in self._tables([(door, door.place) for door in doors], self._sections, self._hosts).items():
            self._turn(door, routes)

    def _tables(
        self, doors: Sequence[tuple[Door, Place]], sections: Mapping[str, HttpSettings], hosts: Sequence[Host]
    ) -> dict[Door, Routes]:
        """What each listener will answer.

        :raises ConfigurationError: paths clash.
        """
        made = {}
        for door, place in doors:
            routes = made[door] = Routes(keys=place.keys, ledger=self._ledger, live=door.site.live)
            for host in hosts:
                if host.flow in place.flows:
                    routes.attach(host, sections[host.flow])
            if place.built_in:
                self._build_in(door, place, routes, [other for other, _ in doors], sections)
            elif place.documented:
                flows = [flow for flow in place.flows if sections[flow].docs]
                _document(routes, Entries([door.site], (True,)), ", ".join(flows))
        return made

    def _build_in(
        self, door: Door, place: Place, routes: Routes, doors: Sequence[Door], sections: Mapping[str, HttpSettings]
    ) -> None:
        engine = self._engine
        open_health(routes, engine)
        open_metrics(
            routes,
            engine,
            self._requests,
            sockets=lambda: sum(len(door.site.live) for door in self._doors),
            name=self._name,
            transport=engine.transport.name,
            version=__version__,
        )
        open_status(routes, engine, name=self._name, version=__version__, uptime=self._uptime)
        # An administration's listener tells of all the others, any other one of itself.
        sites = [door.site] if place.flows else [other.site for other in doors]
        open_index(routes, engine, Entries(sites))
        shown = [name for name, section in sections.items() if section.docs is not False]
        if shown:
            main = min(doors, key=lambda other: {MAIN: 0, ADMIN: 2}.get(other.place.name, 1))
            described = Entries(sites, (True, None))
            _document(routes, described, ", ".join(sections), "" if place.flows else main.listener.url)

    def _uptime(self) -> float:
        return time.monotonic() - self._since

    def _turn(self, door: Door, routes: Routes) -> None:
        place = door.place
        loopback = is_loopback(place.host)
        hosts = place.hosts if loopback or place.hosts else None
        door.site.live.limit = place.limits.sockets
        door.site.change(Guard(loopback=loopback, hosts=hosts, shares=routes.shares), routes)
        door.listener.sockets = bool(routes.sockets)

    def _requests(self) -> dict[tuple[str, int], int]:
        counted: Counter[tuple[str, int]] = Counter()
        for door in self._doors:
            counted.update(door.site.requests)
        return dict(counted)

    # Opening and closing --------------------------------------------------------------------------------------

    async def _open(self, doors: Sequence[Door]) -> None:
        opened: list[Door] = []
        try:
            for door in sorted(doors, key=lambda door: door.place.flexible):
                await self._start(door)
                opened.append(door)
        except BaseException:
            await self._close(opened, 0.0)
            raise
        if any(door.place.port == 0 or door.place.flexible for door in doors):
            self._fill(self._doors)  # what tells the address of another listener knows it only now

    async def _start(self, door: Door) -> None:
        try:
            await door.listener.start()
        except PortInUse:
            if not door.place.flexible:
                raise
            log.warning("port %d is in use, a free one is taken; --port or $PORT chooses one", door.place.port)
            sockets = door.listener.sockets
            door.listener = self._listener(door.place, door.site, 0, door.listener.protected)
            door.listener.sockets = sockets
            await door.listener.start()

    async def _close(self, doors: Sequence[Door], grace: float) -> None:
        """All at once: they share the grace."""
        tasks = [self._engine.supervisor.start(f"close {door.place.name}", door.listener.stop(grace)) for door in doors]
        for task in tasks:
            await task

    def _watched(self, host: Host, state: State) -> None:
        if state not in DELIVERING and state is not State.PAUSED:
            self._send_away(host)

    def _send_away(self, host: Host) -> None:
        """The streams and WebSockets of a service that stops or starts again."""
        end_streams(host)
        for door in self._doors:
            door.site.live.close(host)


def has_doors(spec: ServiceSpec) -> bool:
    """Whether a service can be reached through a listener."""
    return bool(spec.routes or spec.actions or spec.sockets)


def _document(routes: Routes, described: Entries, title: str, server: str = "") -> None:
    """:param server: the address of what is described, where that is another listener."""
    open_openapi(routes, described, title=title, version=__version__, server=server)
    open_docs(routes, server)


def _sections(flows: Sequence[Wiring]) -> dict[str, HttpSettings]:
    return {flow.plan.name: flow.model.http or HttpSettings() for flow in flows}


def _is_protected(place: Place, sections: Mapping[str, HttpSettings]) -> bool:
    """Whether nothing but health is open to callers without a key or certificate."""
    by_key = all(sections[flow].keys for flow in place.flows)
    return (place.tls is not None and place.tls.clients is not None) or (
        by_key and bool(place.keys or not place.built_in)
    )


def _check_free(place: Place, leaving: Sequence[Door]) -> None:
    """:raises ConfigurationError: the node holds the port itself, for a listener that is to be closed."""
    for door in leaving:
        if door.listener.port == place.port and place.port:
            raise ConfigurationError(
                f'the listener "{place.name}" cannot get port {place.port} while the node runs: it would have to close'
                f' "{door.place.name}" first',
                where=f"http {place.host}:{place.port}",
                fix="Restart the node for this change, or choose another port.",
            )
