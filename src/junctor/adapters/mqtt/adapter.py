"""What both MQTT adapters are told: the broker, and who they are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from junctor.adapters.base import Adapter
from junctor.adapters.mqtt.broker import Address, Broker, Protocol, Trust, Will
from junctor.errors import SettingError
from junctor.settings import Duration, setting

if TYPE_CHECKING:
    from junctor.adapters.mqtt.connection import Connection

_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
LONGEST = 65_535
"""Bytes of a topic."""

LOOK = 0.1
"""Seconds after which a waiting ``loop()`` sees that it is to stop."""


class MqttAdapter(Adapter):
    """An adapter with a connection to a broker."""

    extra = "mqtt"
    needs: ClassVar[tuple[str, ...]] = ("paho",)

    url: str = setting(doc="Where the broker is: mqtt://host:1883, mqtts://host:8883 with TLS, or ws:// and wss://")
    user: str = setting("", doc="Name of the user, where the broker wants one")
    password: str = setting("", secret=True, doc="Password of the user")
    ca: Path | None = setting(None, doc="Certificates of the authorities to trust, in place of those of the machine")
    certificate: Path | None = setting(None, doc="One's own certificate, where the broker wants one")
    key_file: Path | None = setting(None, doc="Private key of the certificate, where it is in a file of its own")
    protocol: Protocol = setting("5", doc="Version of MQTT")
    keepalive: Duration = setting("30s", ge=1, le=65_535, doc="Silence after which either side looks for the other")
    timeout: Duration = setting("10s", gt=0, doc="How long connecting and each answer may take")
    will_topic: str = setting("", doc="Topic of the last will: what the broker publishes when the connection breaks")
    will_payload: str = setting("", doc="Text of the last will")
    will_qos: Literal[0, 1] = setting(0, doc="QoS of the last will")
    will_retain: bool = setting(False, doc="Whether the last will is retained")

    _connection: Connection | None = None

    def check_settings(self) -> None:
        """Refuse what does not fit together."""
        super().check_settings()
        address = Address.read(self.url)
        self._check_files(address)
        if self.password and not self.user:
            raise SettingError("a password needs a user", where="password", fix="Set user, too.")
        if self.will_topic:
            check_topic(self.will_topic, "will_topic")

    def _check_files(self, address: Address) -> None:
        for name in ("ca", "certificate", "key_file"):
            file: Path | None = getattr(self, name)
            if file is None:
                continue
            if not address.tls:
                raise SettingError("the address is one without TLS", where=name, fix="Write mqtts:// or wss://.")
            if not file.is_file():
                raise SettingError(f"there is no file {file}", where=name, fix="Paths begin in the node's folder.")
        if self.key_file is not None and self.certificate is None:
            raise SettingError("a key needs its certificate", where="key_file", fix="Set certificate, too.")

    def broker(self, client_id: str, session: float = 0.0, receive: int = 100) -> Broker:
        """The broker as the settings say, for one connection."""
        will = Will(self.will_topic, self.will_payload.encode(), self.will_qos, self.will_retain)
        return Broker(
            address=Address.read(self.url),
            client_id=client_id,
            trust=Trust(self.ca, self.certificate, self.key_file),
            user=self.user,
            password=self.password,
            protocol=self.protocol,
            session=session,
            receive=receive,
            keepalive=round(self.keepalive),
            timeout=self.timeout,
            will=will if self.will_topic else None,
        )

    def remark(self) -> str:
        """Beside its state in ``junctor status``."""
        there = self._connection is not None and self._connection.lost is None
        return f"{'connected' if there else 'not connected'} to {Address.read(self.url)}"


def check_topic(topic: str, where: str) -> None:
    """Refuse what is no topic to publish to.

    :raises SettingError: it is none.
    """
    problem = problem_of(topic)
    if problem:
        raise SettingError(f'"{topic}" {problem}', where=where, fix="For example plant/line-1/state.")


def check_filter(topic: str, where: str) -> None:
    """Refuse what is no topic to subscribe to: ``+`` stands for one level, ``#`` at the end for all below.

    :raises SettingError: it is none.
    """
    levels = topic.split("/")
    if levels[0] == "$share" and (len(levels) < 3 or not levels[1] or not "/".join(levels[2:])):
        fix = "Write $share/GROUP/TOPIC."
        raise SettingError(f'"{topic}" names no group and topic', where=where, fix=fix)
    wild = [level for level in levels if "+" in level or "#" in level]
    if any(len(level) > 1 for level in wild) or "#" in levels[:-1]:
        fix = "+ is a whole level, # is the whole last level: plant/+/state, plant/#."
        raise SettingError(f'"{topic}" has wildcards where none can be', where=where, fix=fix)
    if not topic or _UNFIT.search(topic) or len(topic.encode(errors="replace")) > LONGEST:
        raise SettingError(f"{topic[:60]!r} is no topic", where=where, fix="For example plant/+/state.")


def problem_of(topic: str) -> str:
    """What is wrong with a topic to publish to, as the end of a sentence that begins with it; empty for nothing."""
    if not topic:
        return "is empty"
    if "+" in topic or "#" in topic:
        return "has a wildcard, and a message goes to one topic"
    if _UNFIT.search(topic):
        return "has characters that no topic may have"
    return f"is longer than {LONGEST} bytes" if len(topic.encode()) > LONGEST else ""
