"""The base class of conversations."""

from __future__ import annotations

from typing import Any, Self

from junctor.core.policy import Policies, PoolPolicy
from junctor.core.run import RUN_KEY
from junctor.core.spec import ServiceSpec
from junctor.errors import StateError
from junctor.services.conversation.attributes import own_defaults
from junctor.services.conversation.callbacks import refused
from junctor.services.conversation.live import Live
from junctor.services.service import Service
from junctor.services.state import State

_WITHOUT = ("loop", "on_start", "on_stop")


class Conversation(Service):
    """A service with one instance for each conversation: it takes a message, asks others, goes on with each reply when
    it comes, however much later, and answers in the end. As a business process in InterSystems IRIS, or a saga in
    NServiceBus.

    Methods marked with :func:`~junctor.handler` begin conversations, or with ``key=`` go on with the open one of this
    key. ``self.NAME.ask(...)`` on a target asks without waiting; :func:`~junctor.on_reply`,
    :func:`~junctor.on_failure`, :func:`~junctor.on_timer` and :func:`~junctor.on_complete` mark the methods that it
    goes on with. These callbacks of one conversation never run at the same time. They may block: where one of them is a
    plain ``def``, all run in a thread.

    Annotated attributes that are no settings and no targets are the state of the conversation: they are stored in the
    commit of each callback and restored before the next one, in an instance made anew. All else of the instance is
    gone then.

    A callback that raises is tried again as the policy says, and then its message is parked; the conversation stays
    open and goes on when the message is sent again. It ends with :meth:`end` or :meth:`fail`, or when nothing is left
    that it waits for: no request, no timer, and it has no key.
    """

    __junctor_base__ = True
    __junctor_taken__ = ("conversation", "timer", "cancel", "reply", "end", "fail")
    __junctor_policies__ = Policies(pool=PoolPolicy(size=16, key=RUN_KEY))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in _WITHOUT:
            if name in vars(cls):
                raise refused(cls, name)

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls, *args, **kwargs)
        vars(self)["__junctor_live__"] = Live()
        vars(self).update(own_defaults(cls))
        return self

    @staticmethod
    def __junctor_durable__(cls: type[Service], made: ServiceSpec) -> ServiceSpec:
        from junctor.services.conversation.spec import conversation_spec

        return conversation_spec(cls, made)

    def __junctor_ends_with__(self, error: Exception) -> bool:
        """Whether the conversation ends as failed where what a callback left cannot be stored or sent; else its message
        is parked."""
        return False

    @property
    def state(self) -> State:
        """Not for conversations.

        :raises StateError: always.
        """
        raise StateError("a conversation has no self.state", where=self.name, fix="Declare an attribute: it is stored.")

    @property
    def conversation(self) -> Live:
        """What it knows of itself: its number and key, what it waits for."""
        live: Live = vars(self)["__junctor_live__"]
        return live

    def timer(self, delay: float | str, *, name: str) -> None:
        """Call the method marked with ``@on_timer(name)`` after some time: seconds, or a text like ``"2h"``. A timer
        that runs under this name already is replaced."""
        self.conversation.timer(delay, name)

    def cancel(self, name: str) -> None:
        """Stop the timer of this name, and wait no longer for the requests of this name. Their replies are ignored."""
        self.conversation.cancel(name)

    def reply(self, value: Any = None) -> None:
        """Give the reply to the message that began the conversation; it goes on. The first reply counts: a later one is
        ignored, with a line in the log."""
        if not self.conversation.give(value):
            self.log.warning("conversation %s has replied already; this reply is ignored", self.conversation.number)

    def end(self) -> None:
        """The conversation ends with this callback, whatever is open. Replies and timers that come later are
        ignored."""
        self.conversation.end()

    def fail(self, reason: str | BaseException) -> None:
        """The conversation ends with this callback as failed, and whoever waits for its reply gets the reason as a
        :class:`~junctor.errors.RequestFailed`."""
        self.conversation.fail(reason)
