"""The errors a user can meet. Each says what happened, where, and what to do; each class has a stable code.

``str(error)`` reads ``where: what. fix``, for example
``alarm.limit (flow.yaml:12): expected float, got "high". Give a number, for example 80.``

One file for each place where they are met. All are imported from here, and this is the module in their names, as
tracebacks show them and ``retry.on`` takes them.
"""

from __future__ import annotations

from junctor.errors.composition import (
    ConfigurationError,
    ImportFailed,
    SettingError,
    SeveralProblems,
    TypeClash,
    WiringError,
    located,
)
from junctor.errors.delivery import ConditionFailed as ConditionFailed
from junctor.errors.delivery import (
    DecodeError,
    NoHandler,
    OutsideDelivery,
    ServiceStopped,
    StateConflict,
    StateError,
    WorkerLost,
)
from junctor.errors.delivery import ExpressionFailed as ExpressionFailed
from junctor.errors.delivery import ProgramFailed as ProgramFailed
from junctor.errors.durable import (
    Divergence,
    EffectFailed,
    HistoryTooLong,
    NotDurable,
    RunExists,
    RunSuspended,
    UnknownRun,
    WorkflowCancelled,
    WorkflowFailed,
)
from junctor.errors.operating import (
    MissingExtra,
    NodeNotFound,
    NotPausable,
    PortInUse,
    UnknownOperation,
)
from junctor.errors.root import (
    JunctorError,
    has_line,
    kind_of,
)
from junctor.errors.sending import (
    BodyTooLarge,
    EncodeError,
    NoRoute,
    NotRunning,
    QueueFull,
    RequestError,
    RequestExpired,
    RequestFailed,
    RequestTimeout,
    SendError,
    StoreFull,
    UnknownTarget,
)
from junctor.errors.storing import (
    RecordRefused,
    SearchTooLong,
    SensitiveField,
    StoreDamaged,
    StoreError,
    StoreLocked,
    StoreTooNew,
    StoreVanished,
)
from junctor.errors.texts import (
    HIDES as HIDES,
)
from junctor.errors.texts import (
    LONGEST_TEXT as LONGEST_TEXT,
)
from junctor.errors.texts import (
    named,
    nearest,
    storable,
    text_of,
)

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
    "NotPausable",
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
