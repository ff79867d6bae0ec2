"""From an item that is a business process to the spec that the engine runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

from msgspec import structs

from junctor.core.spec import Activity, Context, HandlerSpec, ServiceSpec
from junctor.dialects.iop.components.dispatch import Dispatch, dispatch_of
from junctor.dialects.iop.hosting.item import Item
from junctor.dialects.iop.hosting.policies import policies_of
from junctor.dialects.iop.hosting.process.bridge import Bridge, entry
from junctor.dialects.iop.hosting.process.job import Job, Jobs
from junctor.dialects.iop.hosting.types import known_types
from junctor.dialects.iop.hosting.values import flattened
from junctor.services import spec_of


def process_spec(item: Item) -> ServiceSpec:
    """The spec of a business process: a conversation for each request.

    :raises SettingError: a setting does not fit.
    """
    cls = item.component
    assert cls is not None
    policies = policies_of(item)
    jobs = Jobs(item)
    made = spec_of(bridge_of(cls, jobs), item.service, policies=policies)
    return structs.replace(
        made,
        build=partial(_build, jobs, made.build),
        handlers=tuple(map(_of_job, made.handlers)),
        inner=tuple(map(_of_job, made.inner)),
        dialect="iop",
        doc=inspect.cleandoc(cls.__doc__ or "") if "__doc__" in vars(cls) else "",
        origin=f"{cls.__module__}.{cls.__qualname__}",
        code="",
        types=known_types(cls),
        settings=flattened(item),
        start=Activity(bind=lambda job: job.start, blocking=True),
        stop=Activity(bind=lambda job: job.stop, blocking=True),
    )


def bridge_of(cls: type, jobs: Jobs) -> type[Bridge]:
    """The conversation class of a process class: a method for each type that a method of the process takes, and one for
    all others."""
    dispatch = dispatch_of(cls)
    members: dict[str, Any] = {"jobs": jobs, "__module__": cls.__module__, "__doc__": cls.__doc__}
    for name, accepts in _typed(dispatch).items():
        members[_free(name)] = entry(name, accepts, partial(_always, name))
    members[_free(dispatch.fallback)] = entry(dispatch.fallback, Any, dispatch.method_for)
    return type(cls.__name__, (Bridge,), members)


def _typed(dispatch: Dispatch) -> dict[str, Any]:
    """Methods with the classes that they take, as far as these are loaded."""
    typed: dict[str, Any] = {}
    for one in dispatch.entries:
        if one.accepts is not None and one.method != dispatch.fallback:
            typed[one.method] = typed[one.method] | one.accepts if one.method in typed else one.accepts
    return typed


def _always(name: str, request: Any) -> str:
    return name


def _free(name: str) -> str:
    """The name of a method of the process, also where conversations have something else under it."""
    return f"{name}_" if hasattr(Bridge, name) else name


def _build(jobs: Jobs, build: Callable[[Context], Any], context: Context) -> Job:
    job = jobs.make(context)
    job.director = build(context)
    return job


def _of_job(spec: HandlerSpec) -> HandlerSpec:
    """The entry of a conversation as one of a job."""
    bind = spec.bind
    return structs.replace(spec, bind=lambda job: bind(job.director))
