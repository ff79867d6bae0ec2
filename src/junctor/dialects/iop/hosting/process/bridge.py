"""A business process as a conversation: each callback of the conversation is one of the process, on a new instance."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import Raw, structs

from junctor import Asked, Conversation, Sensitive, handler, on_failure, on_reply, on_timer
from junctor.core.spec import Context, ServiceSpec
from junctor.dialects.iop.hosting.process.alarm import AlarmRequest, AlarmResponse
from junctor.dialects.iop.hosting.process.door import ConversationDoor
from junctor.dialects.iop.hosting.process.failing import is_final
from junctor.dialects.iop.hosting.process.names import key_of
from junctor.dialects.iop.messages import checked, received
from junctor.errors import RequestError
from junctor.services.conversation.spec import conversation_spec

if TYPE_CHECKING:
    from junctor.dialects.iop.hosting.process.job import Job, Jobs

REQUEST, RESPONSE = "(request)", "(response)"
"""What is stored beside attributes. No attribute has such a name."""

_NONE = Raw(b"null")


class Bridge(Conversation):
    """The conversation of one request to a process.

    ``attributes`` are those of the process by name, with the request that began it and the response so far; ``hidden``
    those among them with something sensitive inside; ``in_memory`` names those that could not be stored.

    A callback of the process that returns None leaves the response as it is: InterSystems IRIS passes it by reference.
    """

    jobs: ClassVar[Jobs]

    attributes: dict[str, Raw]
    hidden: Sensitive[dict[str, Raw]]
    in_memory: tuple[str, ...]

    if TYPE_CHECKING:  # annotations of a conversation are stored
        _job: Job
        _process: Any
        _door: ConversationDoor
        _so_far: tuple[Any] | None

    @staticmethod
    def __junctor_durable__(cls: type[Any], made: ServiceSpec) -> ServiceSpec:
        return conversation_spec(cls, structs.replace(made, build=partial(_build, cls.jobs, made.build)))

    @property
    def job(self) -> Job:
        """The job whose thread this is."""
        return self._job

    # What comes ---------------------------------------------------------------------------------------------

    def begin(self, method: str, request: Any) -> None:
        """The request that begins it, for a method of the process."""
        self._open({})
        request = received(request, self.message.id)
        if not self._job.guard(lambda: self._go_on(request, getattr(self._process, method)(request))):
            self._leave(request, *(self._so_far or (None,)))  # its error counts as done

    @on_reply
    def on_response(self, reply: Any, asked: Asked) -> None:
        """A response to a request of an earlier callback."""
        self._respond(asked.request, reply, key_of(asked.name))

    @on_failure
    def on_error(self, error: RequestError) -> None:
        """A request has failed: the process ends in error, and whoever waits for it gets the error. As in InterSystems
        IRIS, each item on the way that has AlertOnError tells of it."""
        own = RuntimeError(error.what)
        self._job.hosted.alerter.failed(own, 1, last=True)
        self.fail(own)

    @on_timer
    def on_alarm(self, name: str) -> None:
        """A timer ends the wait: responses that are still to come are late."""
        for waiting in set(self.conversation.waiting):
            self.cancel(waiting)
        self._respond(AlarmRequest(), AlarmResponse(), key_of(name))

    def _respond(self, call_request: Any, call_response: Any, key: str | None) -> None:
        """Where a first callback raises, its request has failed. Here that has no end yet, and gets it."""
        try:
            request, response = self._restore()
            call = call_request, received(call_response, self.message.id), key
            if not self._job.guard(lambda: self._called_back(request, response, *call)):
                self._completed(request, response)  # its error counts as done
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            if not is_final(error, self._job.policies):
                raise
            self.log.exception("%s ends in error", self._job.item.name)
            self.conversation.undo()
            self.fail(error)

    def __junctor_ends_with__(self, error: Exception) -> bool:
        """The same for what a later callback leaves: a request or reply without a JSON form, too many attributes."""
        return self.conversation.turns > 0 and is_final(error, self._job.policies)

    # What becomes of it -------------------------------------------------------------------------------------

    def _called_back(self, request: Any, response: Any, *call: Any) -> None:
        changed = self._process.on_response(request, response, *call)
        self._go_on(request, response if changed is None else changed)

    def _completed(self, request: Any, response: Any) -> None:
        """Go on behind a callback that has raised; where that was ``on_complete``, the response so far stands."""
        if self._so_far is not None:
            self._leave(request, *self._so_far)
        elif not self._job.guard(lambda: self._go_on(request, response)):
            self._leave(request, response)

    def _go_on(self, request: Any, response: Any) -> None:
        """Complete where nothing is left to wait for; then keep what is to be kept."""
        if not self._waits:
            self._so_far = (response,)
            changed = self._process.on_complete(request, response)
            response = response if changed is None else changed
        self._leave(request, response)

    def _leave(self, request: Any, response: Any) -> None:
        if self._waits:
            self._store(request, response)
            return
        if not self.conversation.replied:
            self.reply(checked(response, f"the response of {self._job.item.name}"))
        self.end()
        self._job.place.memory.forget(self.conversation.number)

    @property
    def _waits(self) -> bool:
        return bool(self.conversation.waiting) or self._door.started

    # The instance -------------------------------------------------------------------------------------------

    def _open(self, attributes: dict[str, Any]) -> None:
        self._door = ConversationDoor(self)
        self._so_far = None
        self._process = self._job.instance(self._door)
        vars(self._process).update(attributes)

    def _restore(self) -> tuple[Any, Any]:
        """Make the instance as the last callback left it. The request and the response so far."""
        place, now = self._job.place, self.conversation
        stored = {**self.attributes, **self.hidden}
        request = place.attributes.read(REQUEST, stored.pop(REQUEST, _NONE))
        response = place.attributes.read(RESPONSE, stored.pop(RESPONSE, _NONE))
        kept = place.memory.find(now.number, now.turns)
        self._open(place.attributes.restored(stored, kept, self.in_memory))
        return request, response

    def _store(self, request: Any, response: Any) -> None:
        place, now = self._job.place, self.conversation
        taken = place.attributes.taken(self._process, self._job.template)
        for name, value in ((REQUEST, request), (RESPONSE, response)):
            if value is not None:
                taken.add(name, place.attributes.written(name, value))
        self.attributes, self.hidden, self.in_memory = taken.stored, taken.hidden, tuple(taken.kept)
        place.memory.keep(now.number, now.turns + 1, taken.kept)


def _build(jobs: Jobs, build: Callable[[Context], Any], context: Context) -> Any:
    made = build(context)
    made._job = jobs.of(context)
    return made


def entry(name: str, accepts: Any, method_for: Callable[[Any], str]) -> Any:
    """The method of a bridge that begins it.

    :param method_for: the name of the method of the process that takes a request.
    """

    def begin(self: Bridge, request: Any) -> Any:
        self.begin(method_for(request), request)

    begin.__name__ = name
    begin.__annotations__ = {"request": accepts, "return": Any}
    return handler(begin)
