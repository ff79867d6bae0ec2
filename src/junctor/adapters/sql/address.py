"""Which database, and how it is reached: the URL, the driver, TLS."""

from __future__ import annotations

import functools
import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, exc, make_url

from junctor.errors import MissingExtra, SettingError
from junctor.observe.secrets import register

_EXAMPLES = "For example sqlite:///orders.db or postgresql://user@host/database."
_PORT = re.compile(r"(?<=[^:]):\d+$")
_LIBPQ = ("psycopg", "psycopg2")
"""Drivers that take the words of libpq."""

_PLAIN = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


@dataclass(frozen=True)
class Trust:
    """Files of certificates: of the authorities to trust, and one's own."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None

    @property
    def files(self) -> dict[str, Path]:
        named = {"ca": self.ca, "certificate": self.certificate, "key_file": self.key}
        return {name: file for name, file in named.items() if file is not None}


@dataclass(frozen=True)
class Address:
    """A database. Its text has neither user nor password."""

    url: URL
    trust: Trust

    @classmethod
    def read(cls, text: str, password: str = "", trust: Trust | None = None) -> Address:
        """What the settings say.

        :raises SettingError: it is no URL, of no kind of database, or TLS would not be verified.
        :raises MissingExtra: the driver is not installed.
        """
        try:
            url = make_url(text)
        except (exc.ArgumentError, ValueError):
            raise SettingError("it is no URL of a database", where="url", fix=_EXAMPLES) from None
        url = url.set(drivername=_PLAIN.get(url.drivername, url.drivername))
        if url.password:
            register([url.password])
        elif password:
            url = url.set(password=password)
        made = cls(url, trust or Trust())
        made._check_driver()
        made._check_place()
        made._check_tls()
        return made

    @functools.cached_property
    def kind(self) -> str:
        """``sqlite``, ``postgresql``, or what SQLAlchemy calls others."""
        return self.url.get_backend_name()

    @functools.cached_property
    def file(self) -> Path | None:
        """The file that the database is, where it is one."""
        name = self.url.database or ""
        return Path(name) if self.kind == "sqlite" and not name.startswith("file:") else None

    def __str__(self) -> str:
        place = URL.create(self.kind, host=self.url.host, port=self.url.port, database=self.url.database)
        return place.render_as_string()

    # What does not fit --------------------------------------------------------------------------------------

    def _check_driver(self) -> None:
        try:
            dialect = self.url.get_dialect()
        except (exc.ArgumentError, exc.NoSuchModuleError):
            what = f'"{self.url.drivername}" is no kind of database that SQLAlchemy knows'
            raise SettingError(what, where="url", fix=_EXAMPLES) from None
        if dialect.is_async:
            what = f'"{self.url.drivername}" is a driver for asyncio'
            raise SettingError(what, where="url", fix=f"Write {self.kind}://, or name another driver.")
        try:
            dialect.import_dbapi()
        except ImportError as error:
            wanted = (
                '"junctor[postgresql]"' if self.url.get_driver_name() == "psycopg" else error.name or dialect.driver
            )
            what = f"the driver {self.url.get_driver_name()} is not installed"
            raise MissingExtra(what, where="url", fix=f"Install it: pip install {wanted}.") from None

    def _check_place(self) -> None:
        if self.kind == "sqlite" and (self.url.database or ":memory:") == ":memory:":
            raise SettingError("a database in memory is gone with its connection", where="url", fix=_EXAMPLES)

    def _check_tls(self) -> None:
        for name, file in self.trust.files.items():
            if self.kind != "postgresql":
                fix = "Leave it out; the URL says it in the words of the driver."
                raise SettingError("it is for PostgreSQL", where=name, fix=fix)
            if not file.is_file():
                raise SettingError(f"there is no file {file}", where=name, fix="Paths begin in the node's folder.")
        if self.trust.key is not None and self.trust.certificate is None:
            raise SettingError("a key needs its certificate", where="key_file", fix="Set certificate, too.")
        if self.kind != "postgresql" or self._is_local:
            return
        if self.url.get_driver_name() not in _LIBPQ:
            what = f"nobody tells the driver {self.url.get_driver_name()} to ask for a certificate"
            raise SettingError(what, where="url", fix="Write postgresql://, which is psycopg.")
        mode = self.url.query.get("sslmode", "verify-full")
        if mode != "verify-full":
            what = f"with sslmode={mode} nobody knows who answers"
            raise SettingError(what, where="url", fix="Leave it out, and give ca where the authority is your own.")

    # How it is reached --------------------------------------------------------------------------------------

    @property
    def _is_local(self) -> bool:
        """Whether all hosts that it may be at are this machine. libpq knows them from its environment, too, and from
        the file of a service, which nobody reads here."""
        query, known = self.url.query, [self.url.host or ""]
        if "service" in query or "PGSERVICE" in os.environ:
            return False
        for name in ("host", "hostaddr"):
            named = query.get(name, ())
            known += [named] if isinstance(named, str) else named
        if not any(known):
            known = [os.environ.get("PGHOST", "")]
        if "hostaddr" not in query:  # it counts beside a host of the URL, too
            known.append(os.environ.get("PGHOSTADDR", ""))
        return all(_is_local(part) for host in known for part in host.split(","))

    def arguments(self, timeout: float) -> dict[str, Any]:
        """What the driver is told beside the URL. A server on another machine is always asked for its certificate."""
        if self.kind == "sqlite":
            return {"timeout": timeout, "check_same_thread": False}
        if self.kind != "postgresql" or self.url.get_driver_name() not in _LIBPQ:
            return {}
        made: dict[str, Any] = {"connect_timeout": max(1, round(timeout)), "application_name": "junctor"}
        if not self._is_local or self.trust.ca is not None:
            trusted = self.trust.ca or self.url.query.get("sslrootcert") or _authorities()
            made |= {"sslmode": "verify-full", "sslrootcert": str(trusted)}
        if self.trust.certificate is not None:
            made |= {"sslcert": str(self.trust.certificate), "sslkey": str(self.trust.key or self.trust.certificate)}
        return made


def _is_local(host: str) -> bool:
    """No host at all is a socket of this machine. Of several, each may have its port."""
    host = _PORT.sub("", host)
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _authorities() -> str:
    """Those of the machine, where Python has them from; ``system`` is what libpq takes for its own."""
    return ssl.get_default_verify_paths().cafile or "system"
