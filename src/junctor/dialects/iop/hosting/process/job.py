"""A job of a process: one thread in which callbacks run, with what ``on_init`` made there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from junctor.core.port import Port
from junctor.core.spec import Context
from junctor.dialects.iop.hosting.hosted import Hosted
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.process.attributes import Attributes, Template
from junctor.dialects.iop.hosting.process.classes import Classes
from junctor.dialects.iop.hosting.process.door import JobDoor
from junctor.dialects.iop.hosting.process.memory import Memory
from junctor.dialects.iop.hosting.process.values import Values


class Place:
    """What all jobs of a process have in common on one node."""

    def __init__(self, component: type, port: Port) -> None:
        self.values = Values(Classes(component, lambda name: port.runs.type_named(name)))
        self.attributes = Attributes(component, self.values)
        self.memory = Memory(lambda run: (found := port.runs.find(run)) is not None and found.is_open)


class Job:
    """The instance that settings and hooks have prepared is the template of those in which callbacks run. As in
    InterSystems IRIS, ``on_init`` is called once a job and not once a request. ``director`` takes the deliveries."""

    template: Template
    director: Any

    def __init__(self, item: Item, context: Context, place: Place) -> None:
        self.hosted = Hosted(item, context)
        self.hosted.door = JobDoor(item.name, context.port, self.hosted.door.log)
        self.item = item
        self.port = context.port
        self.policies = context.policies
        self.place = place

    def start(self) -> None:
        """Make the template. What ``on_init`` raises comes out of here."""
        self.hosted.start()
        self.template = Template(vars(self.hosted.component), self.place.values)

    def stop(self) -> None:
        """Call the hooks that come last."""
        self.hosted.stop()

    def guard(self, callback: Callable[[], None]) -> bool:
        """Call back by the rules of the item: within its schedule, and with what ReplyCodeActions says of errors. False
        where an error counts as done."""

        def handle(_: None) -> bool:
            callback()
            return True  # a callback without a result is no error

        return self.hosted.guard.call(handle, None) is True

    def instance(self, door: Any) -> Any:
        """A new instance as ``on_init`` left it."""
        cls: Any = self.item.component
        made = cls.__new__(cls)
        vars(made).update(self.template.attributes(), _door=door)
        return made


class Jobs:
    """The jobs of one item, wherever it runs."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self._places: WeakKeyDictionary[Port, tuple[Place, dict[int, Job]]] = WeakKeyDictionary()

    def make(self, context: Context) -> Job:
        """The job of a slot, anew."""
        component = self.item.component
        assert component is not None
        if context.port not in self._places:
            self._places[context.port] = (Place(component, context.port), {})
        place, jobs = self._places[context.port]
        job = jobs[context.slot] = Job(self.item, context, place)
        return job

    def of(self, context: Context) -> Job:
        """The job of a slot that was made before."""
        return self._places[context.port][1][context.slot]
