"""Which listeners a node has: from the ``http`` sections of its flows and what was said about the main one.

Nothing is opened here, so contradictions are found before anything starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from junctor.errors import ConfigurationError
from junctor.http.access.checks import check_section
from junctor.http.listening.limits import Limits
from junctor.http.settings import ApiKey, HttpSettings, Tls
from junctor.node.address import HOST, PORT, Address

MAIN = "main"
ADMIN = "admin"
_WILDCARDS = frozenset({"0.0.0.0", "::"})


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One listener as it should be.

    ``flexible``: nobody asked for this port, another will do. ``flows`` are the names of those whose routes are here.
    ``built_in``: health, metrics and documentation are here; ``documented``: the documentation of those of its flows
    that ask for it; ``keys`` open them.
    """

    name: str
    host: str = HOST
    port: int = PORT
    flexible: bool = False
    tls: Tls | None = None
    hosts: tuple[str, ...] = ()
    limits: Limits = Limits()
    flows: tuple[str, ...] = ()
    built_in: bool = False
    documented: bool = False
    keys: tuple[ApiKey, ...] = ()

    @property
    def at(self) -> tuple[str, int]:
        return self.host, self.port


def lay_out(sections: Mapping[str, HttpSettings], address: Address | None) -> list[Place]:
    """The listeners for these flows, given by name.

    :param address: what was said about the main listener; None: it exists only where a section gives it a port.
    :raises ConfigurationError: a section is wrong, or two contradict each other; both flows are named.
    """
    for flow, section in sections.items():
        check_section(flow, section)
    shared = _by_listener(sections)
    if address is not None and (not shared or address.host is not None or address.port is not None):
        shared.setdefault(MAIN, {})
    places = [
        _place(name, members, address)
        for name, members in shared.items()
        if name != MAIN or address is not None or _agreed(name, members, "port") is not None
    ]
    places = _with_built_in(places, sections)
    _check_ports(places)
    return places


def _by_listener(sections: Mapping[str, HttpSettings]) -> dict[str, dict[str, HttpSettings]]:
    shared: dict[str, dict[str, HttpSettings]] = {}
    for flow, section in sections.items():
        shared.setdefault(section.listener, {})[flow] = section
    return shared


def _place(name: str, members: Mapping[str, HttpSettings], address: Address | None) -> Place:
    host: str | None = _agreed(name, members, "host")
    port: int | None = _agreed(name, members, "port")
    if name == MAIN and address is not None:
        host = address.host or host
        port = address.port if address.port is not None else port
    if name != MAIN and port is None:
        raise ConfigurationError(
            f'the listener "{name}" has no port',
            where=f"http of flow {next(iter(members))}",
            fix=f"Give it one: `http: {{listener: {name}, port: 8090}}`.",
        )
    return Place(
        name=name,
        host=host or HOST,
        port=PORT if port is None else port,
        flexible=port is None,
        tls=_agreed(name, members, "tls"),
        hosts=tuple(dict.fromkeys(one for section in members.values() for one in section.hosts)),
        limits=_agreed(name, members, "limits", Limits()) or Limits(),
        flows=tuple(members),
    )


def _agreed(name: str, members: Mapping[str, HttpSettings], field: str, unsaid: Any = None) -> Any:
    """What the flows of a listener say, ``unsaid`` when none says anything.

    :raises ConfigurationError: two say different things.
    """
    said = [(flow, value) for flow, section in members.items() if (value := getattr(section, field)) != unsaid]
    for flow, value in said[1:]:
        if value != said[0][1]:
            raise _contradiction(f'the listener "{name}"', field, said[0], (flow, value))
    return said[0][1] if said else None


def _contradiction(what: str, field: str, one: tuple[str, Any], other: tuple[str, Any]) -> ConfigurationError:
    plain = isinstance(one[1], str | int)
    words = f": {one[1]} and {other[1]}" if plain else ""
    return ConfigurationError(
        f"the flows {one[0]} and {other[0]} say different things about {field} of {what}{words}",
        where=f"http.{field} of flow {other[0]}",
        fix=f"Let one of them say it, or give {other[0]} a listener of its own: `http: {{listener: NAME, port: ...}}`.",
    )


def _with_built_in(places: list[Place], sections: Mapping[str, HttpSettings]) -> list[Place]:
    """Health and the like are on the admin listener, else on the main one, else on the first."""
    asking = [(flow, section.admin) for flow, section in sections.items() if section.admin is not None]
    for flow, admin in asking[1:]:
        if admin != asking[0][1]:
            raise _contradiction("the node", "admin", asking[0], (flow, admin))
    places = [_documented(place, sections) for place in places]
    if asking and places:
        admin = asking[0][1]
        return [
            *places,
            Place(
                name=ADMIN,
                host=admin.host,
                port=admin.port,
                tls=admin.tls,
                hosts=admin.hosts,
                keys=admin.keys,
                built_in=True,
            ),
        ]
    chosen = next((place for place in places if place.name == MAIN), places[0] if places else None)
    return [_opened(place, sections) if place is chosen else place for place in places]


def _opened(place: Place, sections: Mapping[str, HttpSettings]) -> Place:
    return msgspec.structs.replace(place, built_in=True, documented=False, keys=_keys(place, sections))


def _documented(place: Place, sections: Mapping[str, HttpSettings]) -> Place:
    if not any(sections[flow].docs for flow in place.flows):
        return place
    return msgspec.structs.replace(place, documented=True, keys=_keys(place, sections))


def _keys(place: Place, sections: Mapping[str, HttpSettings]) -> tuple[ApiKey, ...]:
    return tuple(dict.fromkeys(key for flow in place.flows for key in sections[flow].keys))


def _check_ports(places: list[Place]) -> None:
    for one, other in _pairs(places):
        meet = one.host == other.host or {one.host, other.host} & _WILDCARDS
        if one.port == other.port and one.port and meet and not (one.flexible or other.flexible):
            raise ConfigurationError(
                f'the listeners "{one.name}" and "{other.name}" both want port {one.port}',
                where=f"http.port of flow {other.flows[0]}" if other.flows else f"http.admin.port, {other.port}",
                fix="Give one of them another port, or let the flows share one listener by its name.",
            )


def _pairs(places: list[Place]) -> Iterator[tuple[Place, Place]]:
    for index, one in enumerate(places):
        for other in places[index + 1 :]:
            yield one, other


def tls_problems(section: HttpSettings) -> Iterator[ConfigurationError]:
    """What is wrong with the certificates of a section on this machine."""
    for tls in (section.tls, section.admin.tls if section.admin is not None else None):
        if tls is None:
            continue
        from junctor.http.listening.tls import context_of

        try:
            context_of(tls)
        except ConfigurationError as error:
            yield error
