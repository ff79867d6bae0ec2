"""Where alerts go: addresses in the web, mail, programs of the machine, services. Data; sending is the node's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from junctor.errors import ConfigurationError

_TELLING = re.compile("key|token|secret|pass|auth|sig|code", re.IGNORECASE)
"""Names of fields with a secret."""

_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})
"""Headers that say how one request is sent. With another value it would be taken apart wrongly, or answered by another
host."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+")


class Webhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that gets alerts by POST. ``headers`` are sent along; ``ca`` is a file with the certificates of a
    private authority, trusted instead of the public ones."""

    url: str
    headers: Mapping[str, str] = {}
    ca: str | None = None

    def __post_init__(self) -> None:
        parts = _parts(self.url, "webhook.url", ("http", "https"))
        if parts.username is not None or parts.password is not None:
            fix = 'Write headers: {Authorization: "Basic ${secret:NAME}"} beside it.'
            raise ConfigurationError("webhook.url has a user in it", fix=fix)
        if parts.fragment or not self.url.isascii() or not self.url.isprintable() or " " in self.url:
            fix = "Percent-encode what is not ASCII, and leave out what follows #."
            raise ConfigurationError("webhook.url has characters that no address has", fix=fix)
        for name, value in self.headers.items():
            if name.lower() in _FRAMING:
                what = f'webhook.headers has "{name}", which follows from the address and the body'
                raise ConfigurationError(what, fix="Leave it out.")
            if _TOKEN.fullmatch(name) is None or not value.isprintable() or not value.isascii():
                raise ConfigurationError(f'webhook.headers has a wrong header "{name}"', fix="Use printable ASCII.")

    @property
    def to(self) -> str:
        """Where it goes, without what may be secret."""
        return f"webhook {urlsplit(self.url).hostname}"

    def __repr__(self) -> str:
        return f"<{self.to}>"


class Email(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Mail over a server, ``smtp://host:587`` (with STARTTLS) or ``smtps://host:465``. With ``user`` and ``password``
    it logs in, over TLS only. ``sender`` is written ``from``; the user by default, else the first receiver."""

    to_: tuple[str, ...] = msgspec.field(name="to")
    server: str = "smtp://localhost:25"
    user: str | None = None
    password: str | None = None
    sender: str | None = msgspec.field(name="from", default=None)
    ca: str | None = None

    def __post_init__(self) -> None:
        parts = _parts(self.server, "email.server", ("smtp", "smtps"))
        if parts.username or parts.password:
            fix = "Write user: NAME and password: ${secret:NAME} beside it."
            raise ConfigurationError("email.server has a user in it", fix=fix)
        if not self.to_:
            raise ConfigurationError("email.to is empty", fix="Give an address, for example ops@example.com.")
        for address in (*self.to_, *([self.sender] if self.sender is not None else [])):
            if _ADDRESS.fullmatch(address) is None or not address.isprintable():
                fix = "Write the bare address, for example ops@example.com."
                raise ConfigurationError(f"email.to has no mail address in {address!r}", fix=fix)
        if (self.user is None) != (self.password is None):
            fix = "Give both, or none of them for a server that asks for no login."
            raise ConfigurationError("email.user and email.password belong together", fix=fix)

    @property
    def to(self) -> str:
        """Who gets it."""
        more = f" and {len(self.to_) - 1} more" if len(self.to_) > 1 else ""
        return f"email {self.to_[0]}{more}"

    @property
    def origin(self) -> str:
        """The address it comes from."""
        if self.sender is not None:
            return self.sender
        return self.user if self.user is not None and _ADDRESS.fullmatch(self.user) else self.to_[0]

    def __repr__(self) -> str:
        return f"<{self.to}>"


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """A program of this machine with its arguments. No shell reads them."""

    argv: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.argv or not self.argv[0] or any("\0" in word for word in self.argv):
            raise ConfigurationError("command is empty", fix="Write [/usr/local/bin/page, ops].")

    @property
    def to(self) -> str:
        """The program; its arguments may be secret."""
        return f"command {self.argv[0].rpartition('/')[2]}"

    def __repr__(self) -> str:
        return f"<{self.to}>"


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """A service of the flow that gets alerts as messages: plain data with the fields that a webhook gets."""

    name: str

    @property
    def to(self) -> str:
        """Who gets it."""
        return f"service {self.name}"

    def __repr__(self) -> str:
        return f"<{self.to}>"


Destination = Webhook | Email | Command | Receiver


class Send(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an alert goes: to an address in the web, by mail, to a program with its arguments, to a service of the
    flow; to each that is given."""

    webhook: Webhook | None = None
    email: Email | None = None
    command: tuple[str, ...] | None = None
    service: str | None = None

    def __post_init__(self) -> None:
        if self.command is not None:
            Command(argv=self.command)

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """All that are given."""
        program = None if self.command is None else Command(argv=self.command)
        receiver = None if self.service is None else Receiver(name=self.service)
        return tuple(one for one in (self.webhook, self.email, program, receiver) if one is not None)


def secrets_of(destination: Destination) -> list[str]:
    """What is secret of it: nobody but its receiver is to read this. Not its plain words: ``/alerts`` at the end of an
    address, masked, would be missing from every line of a log."""
    found: list[Any] = []
    if isinstance(destination, Webhook):
        parts = urlsplit(destination.url)
        found = [*filter(_is_random, parts.path.split("/")), *_secrets_of_query(parts.query)]
        found += destination.headers.values()
    elif isinstance(destination, Email):
        found = [destination.password]
    return [text for text in found if text]


def _secrets_of_query(query: str) -> Iterator[str]:
    for field in filter(None, query.split("&")):
        name, _, value = field.partition("=")
        yield field
        if _is_random(value) or _TELLING.search(name):
            yield value


def _is_random(part: str) -> bool:
    """Whether a part of an address looks made by a machine: it has digits, or both cases, or is very long."""
    mixed = not part.islower() and not part.isupper()
    least = 8 if any(map(str.isdigit, part)) else 16 if mixed else 32
    return len(part) >= least


def _parts(text: str, where: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of an address, which is never shown: it may be secret."""
    fix = f"Write for example {schemes[-1]}://host.example.com."
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ConfigurationError(f"{where} is no address", fix=fix) from None
    if parts.scheme not in schemes or not parts.hostname:
        raise ConfigurationError(f"{where} does not begin with {' or '.join(f'{s}://' for s in schemes)}", fix=fix)
    return parts
