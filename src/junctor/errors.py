"""The errors a user can meet. Each says what happened, where, and what to do; each class has a stable code.

``str(error)`` reads ``where: what. fix``, for example
``alarm.limit (flow.yaml:12): expected float, got "high". Give a number, for example 80.``
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

__all__ = (
    "BodyTooLarge",
    "ConfigurationError",
    "DecodeError",
    "Divergence",
    "EffectFailed",
    "EncodeError",
    "HistoryTooLong",
    "ImportFailed",
    "JunctorError",
    "MissingExtra",
    "NoHandler",
    "NoRoute",
    "NodeNotFound",
    "NotDurable",
    "NotRunning",
    "OutsideDelivery",
    "PortInUse",
    "QueueFull",
    "RecordRefused",
    "RequestError",
    "RequestExpired",
    "RequestFailed",
    "RequestTimeout",
    "RunExists",
    "RunSuspended",
    "SearchTooLong",
    "SendError",
    "SensitiveField",
    "ServiceStopped",
    "SettingError",
    "SeveralProblems",
    "StateConflict",
    "StateError",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreLocked",
    "StoreTooNew",
    "StoreVanished",
    "TypeClash",
    "UnknownOperation",
    "UnknownRun",
    "UnknownTarget",
    "WiringError",
    "WorkerLost",
    "WorkflowCancelled",
    "WorkflowFailed",
    "has_line",
    "kind_of",
    "named",
    "located",
    "nearest",
    "storable",
    "text_of",
)

_LINE = re.compile(r":\d+\)?$")

LONGEST_TEXT = 2000
"""Characters of the text of an exception that is not ours."""


def nearest(word: str, known: Iterable[str]) -> str:
    """``Did you mean "limit"?`` for a wrong word, else the list of the right ones, else nothing; ends with a space."""
    import difflib  # only when something is wrong

    words = sorted(known)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if close:
        return f'Did you mean "{close[0]}"? '
    shown = ", ".join(words[:12]) + (", ..." if len(words) > 12 else "")
    return f"There is: {shown}. " if words else ""


HIDES = "__junctor_hides__"
"""The attribute of an exception that may quote sensitive values: an object whose ``mask`` takes them out of a text."""


def text_of(error: BaseException) -> str:
    """The text of any exception, fit to be sent and stored; empty where it has none. The class may be a user's: its
    ``__str__`` may raise, SystemExit too."""
    try:
        hides = getattr(error, HIDES, None)
        text = str(error) if hides is None else hides.mask(str(error))  # before the cut, which could leave half of it
        return storable(text[:LONGEST_TEXT])
    except BaseException:  # noqa: BLE001 - a broken __str__ must not hide the failure, or end the node
        return "(its text cannot be made)"


def named(error: BaseException) -> str:
    """``ValueError: no such key``: class and text of any exception."""
    text = text_of(error)
    return f"{type(error).__qualname__}: {text}" if text else type(error).__qualname__


def storable(text: str) -> str:
    """The text without what UTF-8 cannot carry: half a surrogate pair, from a file name for example."""
    return text.encode("utf-8", "backslashreplace").decode()


class JunctorError(Exception):
    """Root of every error that Junctor raises on purpose.

    :param what: what is wrong, in one sentence without the final full stop.
    :param where: the place: a service, a setting, a file with its line.
    :param fix: the next step that helps; a class may carry a general one.
    """

    code: ClassVar[str] = "error"
    default_fix: ClassVar[str] = "See the chain of causes above this line."
    status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix or self.default_fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what.rstrip('.')}. {self.fix}"

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (type(self), self.what, self.where, self.fix))


def located(error: ConfigurationError, place: str) -> ConfigurationError:
    """The error with a place behind what it names, ``cpu.limit (cpu.py:14)``; one that has a line already keeps it.

    It is the same object: its class may be a user's, which nobody knows how to make.
    """
    if not place:
        return error
    if isinstance(error, SeveralProblems):
        whole = SeveralProblems.of([located(problem, place) for problem in error.problems], error.where or place)
        whole.rest = error.rest
        whole.__cause__ = error.__cause__
        return whole
    if has_line(error):
        return error
    error.where = f"{error.where} ({place})" if error.where else place
    return error


def has_line(error: JunctorError) -> bool:
    """Whether it says itself in which line of a file it is."""
    return _LINE.search(error.where or "") is not None


def kind_of(code: str) -> type[JunctorError]:
    """The class with a code, to make an error again that came over a wire; the root for a code nobody has."""
    kinds = [JunctorError]
    while kinds:
        kind = kinds.pop()
        if kind.code == code:
            return kind
        kinds += kind.__subclasses__()
    return JunctorError


def _restore(kind: type[JunctorError], what: str, where: str | None, fix: str | None) -> JunctorError:
    return kind(what, where=where, fix=fix)


# Composition: found before anything runs --------------------------------------------------------------------


class ConfigurationError(JunctorError):
    """The flow, a setting or a command line cannot be used as written. The process ends with exit code 78.

    ``rest`` is what could be made in spite of it, for those who look for more that is wrong.
    """

    code = "configuration"
    default_fix = "Correct the named place and start again."
    rest: Any = None


class SettingError(ConfigurationError):
    """A setting is unknown, missing, of the wrong type or out of bounds."""

    code = "setting"
    default_fix = "Give the setting a value of its declared type within its bounds."


class ImportFailed(ConfigurationError):
    """A file or class named by the flow cannot be imported."""

    code = "import-failed"
    default_fix = "Run the file alone with python to see its own error."


class WiringError(ConfigurationError):
    """A target of a service has no, or more than one, service it could be connected to."""

    code = "wiring"
    default_fix = "Name the service in connect={...}."


class SeveralProblems(ConfigurationError):
    """A flow has more than one problem; ``problems`` has them all, each with its own place and fix."""

    code = "several-problems"
    default_fix = "Correct each of them and start again."

    problems: tuple[ConfigurationError, ...] = ()

    @classmethod
    def of(cls, problems: Iterable[ConfigurationError], where: str) -> ConfigurationError:
        """One error for all of them; a single one is returned as it is."""
        found = tuple(problems)
        if len(found) == 1:
            return found[0]
        error = cls("".join([f"{len(found)} problems", *(f"\n  {problem}" for problem in found)]), where=where)
        error.problems = found
        return error

    def __str__(self) -> str:
        return f"{self.where or 'configuration'}: {self.what}\n{self.fix}"


class TypeClash(ConfigurationError):
    """Two message types of one flow claim the same name."""

    code = "type-clash"
    default_fix = "Give one of them another name with @message(name=...)."


# Sending: raised to the caller ------------------------------------------------------------------------------


class SendError(JunctorError):
    """A message was not accepted. Nothing of it is stored."""

    code = "send"
    default_fix = "The message was not accepted; correct the cause and send it again."


class UnknownTarget(SendError):
    """No service of this name runs in the node."""

    code = "unknown-target"
    default_fix = "Use the name of a running service; `junctor status` lists them."
    status = 404


class QueueFull(SendError):
    """The queue of the target has reached its bound by count or bytes, and the wait for room is over."""

    code = "queue-full"
    default_fix = "Wait and send again, raise `limit` of the target, or give it a larger pool."
    status = 503
    reaction: str | None = None


class StoreFull(SendError):
    """The disk of the store is full: new messages are refused, accepted ones are still delivered."""

    code = "store-full"
    default_fix = "Free disk space; the node accepts messages again by itself."
    status = 507


class EncodeError(SendError):
    """The body cannot be carried: not encodable, or it holds NaN or infinity."""

    code = "encode"
    default_fix = "Send a dataclass, Struct, attrs or pydantic object, or plain JSON values."
    status = 422


class BodyTooLarge(SendError):
    """The encoded body exceeds the limit of the node."""

    code = "body-too-large"
    default_fix = "Store the data elsewhere and send a reference, or raise `max_body` of the node."
    status = 413


class NotRunning(SendError):
    """The node is stopping or stopped and accepts nothing new."""

    code = "not-running"
    default_fix = "Start the node, or send before it stops."
    status = 503


# Requests ---------------------------------------------------------------------------------------------------


class ConditionFailed(JunctorError):
    """The condition of a connection could not be evaluated for a message; it waits, parked, where it would have gone.

    Raised inside the engine only: it is the reason shown by ``junctor parked``.
    """

    code = "condition-failed"
    default_fix = "Correct the condition in the flow, then send the message again."
    reaction = "park"


class RequestError(JunctorError):
    """A request got no reply."""

    code = "request"
    default_fix = "`junctor trace SESSION` shows where it went."


class NoRoute(RequestError):
    """A request was made over a target all of whose connections have a condition, and none of them holds."""

    code = "no-route"
    default_fix = "Give the target a connection without a condition for what fits no other."


class RequestTimeout(RequestError):
    """The deadline passed before a reply came. The request may still have been handled; a late reply is recorded."""

    code = "request-timeout"
    default_fix = "Give the request a longer timeout=, or see with `junctor trace` what its handler does."
    status = 504


class RequestExpired(RequestTimeout):
    """The deadline passed while the request still waited in the queue: its handler was not started."""

    code = "request-expired"
    default_fix = "Give the request a longer timeout=, or the service a larger pool."


class RequestFailed(RequestError):
    """The handler failed for good: its message is parked.

    ``error_type`` is the name of the exception class raised by the handler.
    """

    code = "request-failed"
    default_fix = "`junctor parked` shows the error; correct its cause and send again."
    status = 502

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, error_type: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.error_type = error_type


# Delivery ---------------------------------------------------------------------------------------------------


class DecodeError(JunctorError):
    """A stored or received body does not fit the handler's declared type. ``where`` ends with the path of the field."""

    code = "decode"
    default_fix = "Correct the sender, or give the type an upgrade= for bodies of older versions."
    status = 422


class NoHandler(JunctorError):
    """The service has no handler for the type of the message."""

    code = "no-handler"
    default_fix = "Add a @handler with this type, or send the message to another service."
    status = 404


class StateError(JunctorError):
    """State was used where it cannot be: changed outside a delivery, or without a key in a service with a pool."""

    code = "state"
    default_fix = "Change state in a handler or schedule; with a pool larger than 1, give the service a key."


class StateConflict(StateError):
    """The state was changed by somebody else since the delivery read it; the delivery is done again."""

    code = "state-conflict"
    default_fix = "Nothing to do: the delivery is repeated on the newer state."


class OutsideDelivery(JunctorError):
    """Something that belongs to a message was asked for where none is being handled."""

    code = "outside-delivery"
    default_fix = "Use it in a handler, and pass on what you need."


class ServiceStopped(JunctorError):
    """The service is stopped or failed too often and takes no calls."""

    code = "service-stopped"
    default_fix = "`junctor status` shows why; start the node again after correcting the cause."
    status = 503


# Durable services -------------------------------------------------------------------------------------------


class WorkflowFailed(JunctorError):
    """Raise it in a workflow, itself or a subclass: the run has failed as a matter of business. It ends, and who asked
    is told. Any other exception is taken for a mistake in the code, which can be corrected."""

    code = "workflow-failed"
    default_fix = "`junctor workflows` shows the run with its history."
    status = 422


class WorkflowCancelled(JunctorError):
    """The run was cancelled. Raised at the await that the run is at, so that it can undo what it did."""

    code = "workflow-cancelled"
    default_fix = "Begin another run, if this was not meant."
    status = 409


class EffectFailed(JunctorError):
    """A block of :meth:`~junctor.Workflow.once` raised. ``error_type`` is the name of the class that it raised.

    It is the same at a replay, where the exception itself is gone.
    """

    code = "effect-failed"
    default_fix = "Correct its cause, or catch it in the workflow."

    def __init__(self, what: str, *, where: str | None = None, fix: str | None = None, error_type: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.error_type = error_type

    def __reduce__(self) -> tuple[object, ...]:
        return (_restore, (type(self), self.what, self.where, self.fix), {"error_type": self.error_type})


class NotDurable(JunctorError):
    """A workflow did something that its history cannot hold, for example it awaited ``asyncio.sleep``."""

    code = "not-durable"
    default_fix = "Use sleep, request, wait, gather and first of the workflow, and once() for all other work."
    reaction = "park"


class Divergence(JunctorError):
    """The code of a workflow does not do what its history says. The run is suspended; nothing of it was committed."""

    code = "divergence"
    default_fix = "Bring the code back that the run began on, then `junctor workflows retry`; or cancel the run."
    reaction = "park"
    status = 409


class HistoryTooLong(JunctorError):
    """A run has more turns than can be replayed in a sensible time, or a turn has calls without end."""

    code = "history-too-long"
    default_fix = (
        "Let the workflow go on with an empty history now and then: self.continue_as_new(body). "
        "`junctor workflows cancel RUN --now` ends one that has too many."
    )
    reaction = "park"


class UnknownRun(JunctorError):
    """No open run has this number, id or key. A signal for it is tried again for a while, as the run may be about to
    begin, and parked then."""

    code = "unknown-run"
    default_fix = "`junctor workflows` lists the runs."
    status = 404


class RunExists(JunctorError):
    """A run with this key is open already, so that no other one can begin."""

    code = "run-exists"
    default_fix = "Send it a signal, or wait for its end."
    reaction = "park"
    status = 409


class RunSuspended(JunctorError):
    """The run waits for an operator. What comes for it is parked until then."""

    code = "run-suspended"
    default_fix = "`junctor workflows` shows why; correct the cause, then `junctor workflows retry`."
    reaction = "park"
    status = 409


# Store and node ---------------------------------------------------------------------------------------------


class StoreError(JunctorError):
    """The store cannot be opened or written."""

    code = "store"
    default_fix = "Check the folder, its owner and the disk."


class StoreLocked(StoreError):
    """Another node has this store open."""

    code = "store-locked"
    default_fix = "Stop the other node, or give this one its own folder with --store."


class RecordRefused(StoreError):
    """One record cannot be stored by its nature: half a surrogate pair in a name, a time beyond all times."""

    code = "record-refused"
    default_fix = "Correct the named value; nothing of this commit was stored."
    status = 422


class StoreTooNew(StoreError):
    """The store was written by a newer Junctor."""

    code = "store-too-new"
    default_fix = "Use the newer Junctor; an older one never changes such a store."


class StoreDamaged(StoreError):
    """A record or the database fails its checksum. The damaged record is never delivered."""

    code = "store-damaged"
    default_fix = "Keep a copy of the store; the named record is quarantined and the rest runs on."


class StoreVanished(StoreError):
    """The folder of the store was moved or removed under the running node. Nothing more is accepted; the node ends."""

    code = "store-vanished"
    default_fix = "Bring the folder back where it was, then start the node again."


class SearchTooLong(StoreError):
    """A search through many records was stopped. The text says how far it came."""

    code = "search-too-long"
    default_fix = "Narrow it by time, type, service or session."
    status = 503


class SensitiveField(JunctorError):
    """A search asks for a field whose values are masked: by its hits it would tell them."""

    code = "sensitive-field"
    default_fix = "Search by time, service, session or another field."
    status = 422


class PortInUse(JunctorError):
    """The HTTP port is taken by another process."""

    code = "port-in-use"
    default_fix = "Choose another port with --port, or stop the process that uses it."


class NodeNotFound(JunctorError):
    """No running node and no store was found for a command."""

    code = "node-not-found"
    default_fix = "Run the command in the node's folder, or give --node PATH."
    status = 404


class UnknownOperation(JunctorError):
    """The control socket was asked for an operation it does not have, or with wrong arguments."""

    code = "unknown-operation"
    default_fix = "`junctor --help` lists the commands."
    status = 404


class WorkerLost(JunctorError):
    """A worker process ended while it handled a delivery; one attempt of this delivery is spent.

    ``reason`` is what it ended with, ``crash`` where the interpreter was then, as far as it could tell.
    """

    code = "worker-lost"
    reason = ""
    crash = ""
    default_fix = "See the worker's last lines in the log; the message is tried again by its retry policy."


class MissingExtra(JunctorError):
    """An optional part is not installed."""

    code = "missing-extra"
    default_fix = "Install the named extra with pip."
