"""Who a device is at its hub, and the token that proves it: a shared access signature as Microsoft describes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from urllib.parse import quote

from junctor.adapters.mqtt.broker import Address
from junctor.errors import SettingError

API_VERSION = "2021-04-12"
TLS_PORT = 8883

_KNOWN = ("HostName", "DeviceId", "SharedAccessKey", "GatewayHostName", "x509")


@dataclass(frozen=True)
class Identity:
    """A device of a hub. ``key`` is its shared access key, base64; empty where a certificate proves who it is.
    ``gateway`` is what is connected to in place of the hub."""

    hub: str
    device: str
    key: str = field(default="", repr=False)
    gateway: str = ""

    @classmethod
    def read(cls, text: str) -> Identity:
        """Read a connection string of a device: ``HostName=...;DeviceId=...;SharedAccessKey=...``.

        :raises SettingError: it is none; its text is not shown.
        """
        parts = dict(part.split("=", 1) for part in text.strip().strip(";").split(";") if "=" in part)
        for name in ("HostName", "DeviceId"):
            if not parts.get(name):
                raise _wrong(f"it has no {name}")
        others = [name for name in parts if name not in _KNOWN]
        if others:
            raise _wrong(f"{others[0]} is not for a device")
        return cls(
            parts["HostName"], parts["DeviceId"], parts.get("SharedAccessKey", ""), parts.get("GatewayHostName", "")
        )

    @property
    def address(self) -> Address:
        """Where to connect to; always with TLS.

        :raises SettingError: its port is no number.
        """
        host, _, port = (self.gateway or self.hub).partition(":")
        try:
            return Address(host, int(port or TLS_PORT), tls=True)
        except ValueError:
            raise SettingError("its port is no number", where="gateway", fix="Write host or host:port.") from None

    @property
    def user(self) -> str:
        """The user name of the connection."""
        return f"{self.hub}/{self.device}/?api-version={API_VERSION}"

    def token(self, expires: int) -> str:
        """The shared access signature, which is the password of the connection.

        :param expires: seconds since 1970.
        :raises SettingError: the key is not base64.
        """
        resource = quote(f"{self.hub}/devices/{self.device}", safe="")
        try:
            secret = base64.b64decode(self.key, validate=True)
        except ValueError:  # which binascii.Error is, too
            raise SettingError("the key is not base64", where="access_key", fix=_COPY) from None
        signed = hmac.new(secret, f"{resource}\n{expires}".encode(), hashlib.sha256).digest()
        signature = quote(base64.b64encode(signed).decode(), safe="")
        return f"SharedAccessSignature sr={resource}&sig={signature}&se={expires}"


_COPY = "Copy it from the page of the device at its hub."


def _wrong(what: str) -> SettingError:
    return SettingError(f"this is no connection string of a device: {what}", where="connection_string", fix=_COPY)
