"""From a class of microServiceBus to the spec that the engine runs."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from junctor.adapters.base import OUTAGES
from junctor.core.policy import Policies, PoolPolicy, Reaction, RestartPolicy, RetryPolicy, Waits
from junctor.core.spec import Activity, Context, HandlerSpec, ServiceSpec, TargetSpec
from junctor.dialects.microservicebus.companions.service import InternalService
from junctor.dialects.microservicebus.hosting.actions import PROCESS, actions_of, bound, overrides
from junctor.dialects.microservicebus.hosting.config import config_from, read_properties
from junctor.dialects.microservicebus.hosting.door import MESSAGES
from junctor.dialects.microservicebus.hosting.hosted import END_TIME, Hosted
from junctor.dialects.microservicebus.hosting.life import takes_config
from junctor.dialects.microservicebus.names import PERMANENT
from junctor.dialects.microservicebus.services import BaseService
from junctor.errors import ConfigurationError

DIALECT_NAME = "microservicebus"

POOL = 16
"""Actions of a service that run at once, on its one instance: they begin in the order of the messages."""

AWAY: Mapping[str, Reaction | Waits] = {
    **OUTAGES,
    "IndexAway": "hold",
    "StartFails": "hold",
    "smtplib.SMTPServerDisconnected": "hold",
    "smtplib.SMTPConnectError": "hold",
}
"""What a service waits for, and is not taken for one that fails: the other side is away, as for every adapter, the
index of a package, or a mail server."""

OF_SERVICES = Policies(
    pool=PoolPolicy(size=POOL),
    retry=RetryPolicy(on=AWAY),
    restart=RestartPolicy(limit=1000, window=3600.0, initial=0.5, max=60.0),
)
"""A service whose device is away is started again for ever, at last once a minute: so that is never a thousand times an
hour."""

INACTIVE = "general.enabled is false"

SUBMITTED = TargetSpec(name=MESSAGES, request=Any, optional=True, rare=True)


def policies_of(cls: type[BaseService]) -> Policies:
    """The policies of a service whose flow says nothing."""
    return cls.policies() if issubclass(cls, InternalService) else OF_SERVICES


def spec_of(
    cls: type[BaseService], name: str, settings: Mapping[str, Any], places: Mapping[str, str] | None
) -> ServiceSpec:
    """The spec of a service.

    :raises ConfigurationError: its constructor takes other arguments, or a setting is wrong.
    """
    check_constructor(cls)
    if issubclass(cls, InternalService):
        return _of(cls, name, (config := cls.configured(name, settings, places or {})), config, permanent=PERMANENT)
    properties = read_properties(name, settings, places)
    shown: dict[str, Any] = {part: properties[part] for part in ("general", "static")}
    shown |= {"packages": properties["packages"]} if properties["packages"] else {}
    resting = "" if properties["general"].get("enabled") is not False else INACTIVE
    return _of(cls, name, config_from(properties), shown, resting=resting)


def _of(
    cls: type[BaseService], name: str, config: Mapping[str, Any], shown: Mapping[str, Any], **more: Any
) -> ServiceSpec:
    return ServiceSpec(
        name=name,
        build=partial(_build, cls, config),
        dialect=DIALECT_NAME,
        doc=inspect.cleandoc(cls.__doc__ or "") if "__doc__" in vars(cls) else "",
        origin=_origin(cls),
        handlers=tuple(_handler(cls, action, method.__doc__) for action, method in actions_of(cls)),
        targets=() if more.get("permanent") else (SUBMITTED,),
        settings=shown,
        start=Activity(bind=lambda hosted: hosted.at_home(hosted.make)),
        main=Activity(bind=lambda hosted: hosted.at_home(hosted.live), cancel=True),
        stop=Activity(bind=lambda hosted: hosted.at_home(hosted.close), patience=END_TIME + 1),
        policies=policies_of(cls),
        **more,
    )


def _build(cls: type[BaseService], config: Mapping[str, Any], context: Context) -> Hosted:
    return Hosted(cls, config, context)


def _handler(cls: type[BaseService], name: str, doc: str | None) -> HandlerSpec:
    """A ``Process`` of the class also gets what names no action: of native services and of those of other dialects."""
    by_name = name != PROCESS or not overrides(cls, name)
    return HandlerSpec(
        name=name, accepts=Any, bind=partial(bound, name), by_name=by_name, doc=inspect.cleandoc(doc or "")
    )


def check_constructor(cls: type[BaseService]) -> None:
    """:raises ConfigurationError: it takes neither ``(id, queue, config)`` nor ``(id, queue)``."""
    if takes_config(cls):
        return
    try:
        inspect.signature(cls).bind("", None)
    except TypeError as error:
        what = f"its constructor takes other arguments than (id, queue, config): {error}"
        fix = "Write def __init__(self, id, queue, config) and call super().__init__(id, queue, config) in it."
        raise ConfigurationError(what, where=_origin(cls), fix=fix) from error


def _origin(cls: type) -> str:
    """``Receiver.py:12``, where its methods begin. To look for the line of the class would parse its file."""
    codes = [value.__code__ for value in vars(cls).values() if inspect.isfunction(value)]
    first = min(codes, key=lambda code: code.co_firstlineno, default=None)
    return f"{cls.__module__}.{cls.__qualname__}" if first is None else f"{first.co_filename}:{first.co_firstlineno}"
