"""A message on a schedule."""

from __future__ import annotations

from typing import Any

from junctor.adapters.base import Adapter
from junctor.adapters.records import Fields, checked_fields, filled, reader_of
from junctor.core.expressions import Variables
from junctor.errors import SettingError
from junctor.services import Target
from junctor.services import cron as by_calendar
from junctor.services import every as by_interval
from junctor.settings import Duration, setting


class Timer(Adapter):
    """Sends a message on a schedule.

    Every so often, or by the calendar. Ticks that were missed are not made up. Its body has ``time`` and ``count``, or
    the fields that are given::

        every-morning:
          adapter: timer
          settings: {cron: "0 6 * * 1-5", zone: Europe/Vienna}
          connect: {out: report}
    """

    side = "in"

    out: Target[Any]
    every: Duration | None = setting(None, gt=0, doc="Time between two messages")
    cron: str = setting("", doc="Five fields: minute, hour, day of month, month, day of week")
    zone: str = setting("", doc="Time zone of cron, like Europe/Vienna; the machine's by default")
    initial: Duration = setting(0.0, ge=0, doc="Wait before the first message of every")
    fields: Fields = setting({}, doc="Fields of the message, as expressions of now; time and count where it is empty")
    type: str = setting("", doc="Name of the type that is sent, where the receiver takes several")

    def check_settings(self) -> None:
        super().check_settings()
        if (self.every is None) == (not self.cron):
            fix = 'Write every: 5m, or cron: "0 6 * * *".'
            raise SettingError("a timer has either every or cron", where="every", fix=fix)
        if self.zone and not self.cron:
            raise SettingError("only cron has a zone", where="zone", fix="Leave it out.")
        checked_fields(self.fields, "fields", "now")

    def on_start(self) -> None:
        reader_of(self.out, self.type)  # says what is wrong with the type before anything is sent

    @by_interval(every, initial=initial)
    async def tick(self) -> None:
        """Send the message of an interval."""
        await self._send()

    @by_calendar(cron, zone=zone)
    async def strike(self) -> None:
        """Send the message of the calendar."""
        await self._send()

    async def _send(self) -> None:
        now = self.now()
        count = self.state["count"] = self.state.get("count", 0) + 1
        body = filled(self.fields, Variables({}, now=now))
        usual = {"time": now.isoformat(timespec="milliseconds"), "count": count}
        await self.out.send(reader_of(self.out, self.type)(body or usual))
