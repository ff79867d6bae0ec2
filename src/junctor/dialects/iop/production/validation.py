"""What is wrong with a production before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from junctor.core.spec import service_name
from junctor.dialects.iop.hosting.schedule import read_schedule
from junctor.dialects.iop.production.component import ComponentRef
from junctor.dialects.iop.production.connections import leads
from junctor.dialects.iop.production.declared_settings import problem_with, required_settings, target_names
from junctor.dialects.iop.production.values import split_names
from junctor.errors import ConfigurationError, nearest

if TYPE_CHECKING:
    from junctor.dialects.iop.production.composition import Composition

_LARGEST = 1024


@dataclass(frozen=True)
class ProductionValidationIssue:
    """One thing that is wrong.

    ``code`` is stable: ``unknown-target``, ``unconnected-target``, ``missing-setting``, ``unknown-setting``,
    ``setting``, ``pool-size``, ``schedule``, ``duplicate-name``, ``unknown-class``. ``setting`` is empty where it is
    about the item, ``item`` where it is about the production.
    """

    code: str
    message: str
    item: str = ""
    setting: str = ""

    def __str__(self) -> str:
        place = ".".join(part for part in (self.item, self.setting) if part)
        return f"{place}: {self.message}" if place else self.message


class ProductionValidationWarning(UserWarning):
    """The warning that a migration which is not strict gives for each issue."""


@dataclass(frozen=True)
class ProductionValidationReport:
    """All that is wrong with a production. It is true where nothing is."""

    production_name: str
    issues: tuple[ProductionValidationIssue, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.issues

    def __bool__(self) -> bool:
        return self.is_valid

    def __str__(self) -> str:
        return "\n".join([self.production_name, *(f"  {issue}" for issue in self.issues or ("valid",))])

    def raise_for_issues(self) -> None:
        """:raises ProductionValidationError: something is wrong."""
        if self.issues:
            raise ProductionValidationError.of(self)


class ProductionValidationError(ConfigurationError, ValueError):
    """A production is not valid, and a strict check was asked for."""

    code = "iop-production-invalid"
    default_fix = "Correct what is listed, or leave the check less strict."
    report: ProductionValidationReport
    """All that is wrong."""

    @classmethod
    def of(cls, report: ProductionValidationReport) -> Self:
        """The error that names each issue."""
        listed = "; ".join(str(issue).rstrip(".") for issue in report.issues)
        made = cls(f"the production is not valid: {listed}", where=report.production_name)
        made.report = report
        return made


def validated(production: Composition) -> ProductionValidationReport:
    """Look at all items and connections. Of an item whose class is only a name, its settings are not looked at."""
    return ProductionValidationReport(production.name, tuple(_issues(production)))


def _issues(production: Composition) -> Iterator[ProductionValidationIssue]:
    yield from _names(production)
    if _bad_size(production.actor_pool_size, least=1):
        message = f"ActorPoolSize is {production.actor_pool_size!r}; give a whole number from 1"
        yield ProductionValidationIssue("pool-size", message)
    for ref in production.items:
        yield from _of_item(ref)
        yield from _targets(production, ref)
        if ref.component is not None:
            yield from _settings(ref, ref.component)


def _names(production: Composition) -> Iterator[ProductionValidationIssue]:
    """Names that differ for people and not for the engine."""
    seen: dict[str, str] = {}
    for ref in production.items:
        other = seen.setdefault(service_name(ref.name), ref.name)
        if other != ref.name:
            message = f"its name and {other} are one here ({service_name(ref.name)}); rename one of them"
            yield ProductionValidationIssue("duplicate-name", message, ref.name)


def _of_item(ref: ComponentRef) -> Iterator[ProductionValidationIssue]:
    least = 1 if ref.kind == "operation" else 0
    if _bad_size(ref.pool_size, least):
        message = f"the pool size is {ref.pool_size!r}; give a whole number from {least} to {_LARGEST}"
        yield ProductionValidationIssue("pool-size", message, ref.name)
    try:
        read_schedule(ref.schedule, f"{ref.name}.Schedule")
    except ConfigurationError as error:
        yield ProductionValidationIssue("schedule", f"{error.what}. {error.fix}", ref.name, "Schedule")


def _bad_size(size: Any, least: int) -> bool:
    return isinstance(size, bool) or not isinstance(size, int) or not least <= size <= _LARGEST


def _targets(production: Composition, ref: ComponentRef) -> Iterator[ProductionValidationIssue]:
    known = [one.name for one in production.items]
    for setting, text in ref.host_settings.items():
        for name in split_names(text) if leads(production, ref, setting) else ():
            if name not in known:
                message = f"it leads to {name}, which the production has not. {nearest(name, known)}".rstrip()
                yield ProductionValidationIssue("unknown-target", message, ref.name, setting)


def _settings(ref: ComponentRef, cls: type) -> Iterator[ProductionValidationIssue]:
    targets = target_names(cls)
    given = {name for name, value in {**ref.adapter_settings, **ref.host_settings}.items() if value.strip()}
    for name in required_settings(cls):
        if name in given:
            continue
        if name in targets:
            message = f'it is required and leads nowhere; connect it: prod.connect("{ref.name}.{name}", ...)'
            yield ProductionValidationIssue("unconnected-target", message, ref.name, name)
        else:
            yield ProductionValidationIssue("missing-setting", "it is required and has no value", ref.name, name)
    yield from _values(ref, ref.host_settings, cls)
    if ref.adapter_class is not None:
        yield from _values(ref, ref.adapter_settings, ref.adapter_class)


def _values(ref: ComponentRef, settings: dict[str, str], cls: type) -> Iterator[ProductionValidationIssue]:
    for name, text in settings.items():
        if message := problem_with(cls, name, text, ref.name):
            code = "unknown-setting" if "no such setting" in message else "setting"
            yield ProductionValidationIssue(code, message, ref.name, name)
