"""What a call fails with."""

from __future__ import annotations

from junctor.core.policy import Reaction
from junctor.errors import JunctorError


class HttpCallFailed(JunctorError):
    """An HTTP service answered a call of ``http-out`` with an error, or with what cannot be read.

    ``answered`` is the status of the answer, 0 where there was none. ``reaction`` is what becomes of the message, and
    ``delay`` the seconds after which the other side wants to be asked again.
    """

    code = "http-call-failed"
    default_fix = "Correct the message or the settings and send it again; `on` says what each status means."

    def __init__(
        self,
        what: str,
        *,
        where: str | None = None,
        fix: str | None = None,
        answered: int = 0,
        reaction: Reaction = "retry",
        delay: float | None = None,
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.answered = answered
        self.reaction = reaction
        self.delay = delay
