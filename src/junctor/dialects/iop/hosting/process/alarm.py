"""What comes to ``on_response`` when a timer of a process has run out."""

from __future__ import annotations

from dataclasses import dataclass

from junctor.messages import message


@message(name="Ens.AlarmRequest")
@dataclass
class AlarmRequest:
    """The ``call_request`` of a timer. As ``Ens.AlarmRequest`` in InterSystems IRIS."""


@message(name="Ens.AlarmResponse")
@dataclass
class AlarmResponse:
    """The ``call_response`` of a timer that has run out. As ``Ens.AlarmResponse`` in InterSystems IRIS."""
