"""The forms that a connection has."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from junctor.dialects.pip_services.commons.config import ConfigParams

_IN_URI = ("protocol", "host", "port", "username", "password", "servers", "path", "uri")


class ConnectionForms:
    """Connections as URIs, and parts of them. Pip.Services calls it ``ConnectionUtils``."""

    @staticmethod
    def concat(options1: ConfigParams, options2: ConfigParams, *keys: str) -> ConfigParams:
        """Both in one; values of the same key are joined by commas. With keys only those of the second."""
        made = ConfigParams(options1)
        for key in keys or options2.get_keys():
            value = options2.get_as_string(key)
            if value:
                made.put(key, f"{made.get(key)},{value}" if made.get(key) else value)
        return made

    @staticmethod
    def include(options: ConfigParams, *keys: str) -> ConfigParams:
        """Only these."""
        return ConfigParams({key: value for key, value in options.items() if key in keys})

    @staticmethod
    def exclude(options: ConfigParams, *keys: str) -> ConfigParams:
        """All but these."""
        return ConfigParams({key: value for key, value in options.items() if key not in keys})

    @staticmethod
    def parse_uri(uri: str, default_protocol: str | None = None, default_port: int = 0) -> ConfigParams:
        """The parts of ``protocol://username:password@host:port,host2:port2/path?name=value`` as parameters."""
        made = ConfigParams()
        if not uri:
            return made
        parts = urlsplit(uri if "://" in uri else f"{default_protocol or ''}://{uri}")
        login, _, places = parts.netloc.rpartition("@")
        username, colon, password = login.partition(":")
        values = {
            "protocol": parts.scheme or default_protocol,
            "username": unquote(username) or None,
            "password": unquote(password) if colon else None,
            "path": parts.path.lstrip("/") or None,
        }
        several = "," in places
        host, colon, port = places.partition(":")
        usual = str(default_port) if default_port else None
        values |= {"servers": places} if several else {"host": host, "port": port or usual}
        for name, value in (*values.items(), *parse_qsl(parts.query, keep_blank_values=True)):
            if value is not None:
                made.put(name, value)
        return made

    @staticmethod
    def compose_uri(options: ConfigParams, default_protocol: str | None = None, default_port: int = 0) -> str:
        """The opposite of :meth:`parse_uri`."""
        protocol = options.get("protocol") or default_protocol
        port = options.get("port") or default_port
        place = options.get("servers") or f"{options.get_as_string('host')}{f':{port}' if port else ''}"
        username, password = options.get("username"), options.get("password")
        login = quote(username, safe="") + (f":{quote(password, safe='')}" if password else "") if username else ""
        path = f"/{options.get('path')}" if options.get("path") else ""
        query = urlencode({key: value or "" for key, value in options.items() if key not in _IN_URI})
        start = f"{protocol}://" if protocol else ""
        return f"{start}{login}{'@' if login else ''}{place}{path}{f'?{query}' if query else ''}"
