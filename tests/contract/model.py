"""What a transport is to hold, as three dictionaries: the yardstick of the random tests."""

from __future__ import annotations

from dataclasses import dataclass, field

from junctor.core.outcome import StateWrite
from junctor.core.records import Insert, Opened, Settle
from junctor.messages import Message, Status

PENDING = (Status.READY, Status.CLAIMED, Status.WAITING)


@dataclass
class Held:
    """One record."""

    message: Message
    status: Status
    attempt: int = 0
    due: int = 0


@dataclass
class Model:
    """Applies what a transport is told, in order, and says what must be seen."""

    records: dict[int, Held] = field(default_factory=dict)
    origins: dict[bytes, int] = field(default_factory=dict)
    state: dict[str, tuple[bytes, int]] = field(default_factory=dict)

    def insert(self, insert: Insert) -> int | None:
        """The number of the earlier record with the same origin, None when it was taken in."""
        message = insert.message
        if message.origin is not None:
            earlier = self.origins.setdefault(message.origin, message.seq)
            if earlier != message.seq:
                return earlier
        self.records[message.seq] = Held(message, insert.status, 0, message.due)
        return None

    def settle(self, settle: Settle) -> None:
        held = self.records[settle.seq]
        held.status, held.attempt, held.due = settle.status, settle.attempt, settle.due

    def claim(self, seq: int) -> None:
        self.records[seq].status = Status.CLAIMED

    def conflicts(self, writes: list[StateWrite]) -> bool:
        return any(self.state.get(write.name, (b"", 0))[1] != write.expected for write in writes)

    def write(self, write: StateWrite) -> None:
        if write.value is None:
            self.state.pop(write.name, None)
        else:
            self.state[write.name] = (write.value, write.expected + 1)

    def stop_cleanly(self) -> None:
        for held in self.records.values():
            if held.status == Status.CLAIMED:
                held.status = Status.READY

    # What must be seen ---------------------------------------------------------------------------------------

    def pending(self) -> list[int]:
        return [seq for seq, held in sorted(self.records.items()) if held.status in PENDING]

    def ready(self, key: str | None = None) -> list[int]:
        return [
            seq
            for seq, held in sorted(self.records.items())
            if held.status == Status.READY and key in (None, held.message.key)
        ]

    def due(self, now: int) -> list[int]:
        waiting = [(held.due, seq) for seq, held in self.records.items() if held.status == Status.WAITING]
        return [seq for due, seq in sorted(waiting) if due <= now]

    def next_due(self) -> int:
        return min((held.due for held in self.records.values() if held.status == Status.WAITING), default=0)

    def suspects(self) -> list[tuple[int, int, int]]:
        return [
            (seq, held.attempt, held.due)
            for seq, held in sorted(self.records.items())
            if held.status == Status.CLAIMED
            or (held.status == Status.WAITING and (held.attempt > 0 or held.message.due == 0))
        ]

    def assert_opening(self, opened: Opened, *, clean: bool) -> None:
        assert opened.clean == clean
        assert [(each.message.seq, each.attempt, each.due) for each in opened.suspects] == self.suspects()
        assert opened.next_due == self.next_due()
        counts = {target: depth.count for target, depth in opened.depths.items() if depth.count}
        assert sum(counts.values()) == len(self.pending())
