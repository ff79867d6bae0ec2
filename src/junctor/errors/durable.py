"""Runs of workflows and conversations."""

from __future__ import annotations

from junctor.errors.root import JunctorError, restore


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
        return (restore, (type(self), self.what, self.where, self.fix), {"error_type": self.error_type})


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
