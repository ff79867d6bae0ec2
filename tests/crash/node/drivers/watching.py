"""A service that listens beside audit and sink, where it is there; in a file of its own, to be changed alone."""

from __future__ import annotations

from chain import Copy, Effect, mark  # type: ignore[import-not-found]  # the copy of flow.py in the folder of the campaign

from junctor import Service, handler


class Watch(Service):
    @handler
    async def on_copy(self, copy: Copy) -> None:
        mark(self, f"{copy.id}/copy")

    @handler
    async def on_effect(self, effect: Effect) -> None:
        mark(self, effect.name)
