"""Stand-in for ``base_service`` and ``queue_message`` of microServiceBus: services, their queue, and the producer.

The queue given to the constructor is the door: what is put into it leaves through the port, so programs that use it
without ``SubmitAction`` work too. Every service has a loop of its own, because its ``async def`` may block.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from junctor.core.port import Port
from junctor.core.spec import Activity, Context, HandlerSpec, ServiceSpec, service_name
from junctor.errors import UnknownTarget, WiringError
from junctor.messages.codec import to_plain


class QueueMessage:
    def __init__(self, source: str, destination: str, action: str, message: Any) -> None:
        self.source = source
        self.destination = destination
        self.action = action
        # A tuple of one, as programs know it.
        self.message = (message,)


class PortQueue:
    def __init__(self, port: Port) -> None:
        self.port = port

    async def put(self, item: QueueMessage) -> None:
        payload = item.message[0]
        if item.destination == "logger":
            self.port.log.info("%s", payload)
        elif item.destination == "*":
            await self.port.broadcast(payload, handler=item.action)
        else:
            await self._send(item, payload)

    async def _send(self, item: QueueMessage, payload: Any) -> None:
        """Names are taken with and without ``_py``, in any case; pages use them all."""
        name = service_name(item.destination)
        for known in (name, f"{name}_py"):
            try:
                link = self.port.link_to(known, Any, handler=item.action)
            except UnknownTarget:
                continue
            except WiringError as error:
                self.port.log.error("%s", error)
                return
            await self.port.send(link, payload)
            return
        self.port.log.warning("There is no service called %s", item.destination)


class BaseService:
    def __init__(self, id: str, queue: PortQueue) -> None:
        self.id = id
        self.queue = queue

    async def Start(self) -> None: ...

    async def Stop(self) -> None: ...

    async def Process(self, message: QueueMessage) -> None: ...

    async def StateUpdate(self, state: QueueMessage) -> None: ...

    async def SubmitAction(self, destination: str, action: str, message: Any) -> None:
        await self.queue.put(QueueMessage(self.id, destination, action, message))

    async def SubmitMessage(self, message: Any) -> None:
        await self.SubmitAction("com", "_sendEvent", message)

    async def Debug(self, message: str) -> None:
        await self.SubmitAction("logger", "_debug", message)


class CustomService(BaseService):
    def __init__(self, id: str, queue: PortQueue, config: Mapping[str, Any]) -> None:
        super().__init__(id, queue)
        self.config = config

    def GetPropertyValue(self, category: str, name: str) -> Any:
        entries = self.config.get(f"{category}Config", ())
        return next((entry["value"] for entry in entries if entry["id"] == name), "undefined")


def spec_of(cls: type[CustomService], static: Mapping[str, Any] | None = None) -> ServiceSpec:
    """The spec of a custom service; its type ``Class_py`` in small letters is its id."""
    return ServiceSpec(
        name=service_name(f"{cls.__name__}_py"),
        build=partial(_build, cls),
        dialect="microservicebus",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        handlers=tuple(HandlerSpec(name=name, accepts=Any, bind=partial(_bound, name)) for name in _actions(cls)),
        settings=static or {},
        main=Activity(bind=lambda service: partial(_live, service), cancel=True),
        stop=Activity(bind=lambda service: service.Stop),
        loop="own",
    )


def _build(cls: type[CustomService], context: Context) -> CustomService:
    static = [{"id": name, "value": value} for name, value in context.settings.items()]
    general = [{"id": "name", "value": cls.__name__}, {"id": "enabled", "value": True}]
    config = {"generalConfig": general, "staticConfig": static, "securityConfig": []}
    return cls(context.service, PortQueue(context.port), config)


def _actions(cls: type[CustomService]) -> Iterator[str]:
    """What a message may ask for: ``Process`` first, it also gets what names no action."""
    yield "Process"
    yield "StateUpdate"
    given = set(vars(BaseService)) | set(vars(CustomService))
    for name, function in inspect.getmembers(cls, inspect.iscoroutinefunction):
        if name not in given and len(inspect.signature(function).parameters) == 2:
            yield name


def _bound(name: str, service: CustomService) -> Any:
    async def perform(body: Any) -> None:
        incoming = service.queue.port.message()
        source = incoming.source.rpartition("/")[2] if incoming is not None else ""
        await getattr(service, name)(QueueMessage(source, service.id, name, to_plain(body)))

    return perform


async def _live(service: CustomService) -> None:
    """``Start`` once. It may return, or run for as long as the service does."""
    await service.Start()
    while not service.queue.port.stopping:
        await service.queue.port.sleep(3600)
