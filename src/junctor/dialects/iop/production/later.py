"""Names of plans of changes that programs may import, and that are not offered yet."""

from __future__ import annotations

from typing import Any


class _Later:
    def __init__(self, *args: Any, **options: Any) -> None:
        name = type(self).__name__
        raise NotImplementedError(f"{name} is not offered yet; prod.diff() shows what a migration would change")


class ProductionChangePlan(_Later):
    """A reviewed list of changes: not offered yet.

    :raises NotImplementedError: when one is made.
    """


class ProductionPlanOperation(_Later):
    """One change of a plan: not offered yet."""


class ProductionApplyResult(_Later):
    """What applying a plan did: not offered yet."""


class ProductionVerifyResult(_Later):
    """Whether a plan has been applied: not offered yet."""
