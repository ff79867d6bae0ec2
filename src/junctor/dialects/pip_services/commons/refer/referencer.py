"""Linking: components are told where the others are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from junctor.dialects.pip_services.commons.refer.interfaces import IReferenceable, IReferences, IUnreferenceable


class Referencer:
    """What has no such method is left alone."""

    @staticmethod
    def set_references_for_one(references: IReferences, component: Any) -> None:
        if isinstance(component, IReferenceable):
            component.set_references(references)

    @staticmethod
    def set_references(references: IReferences, components: Iterable[Any]) -> None:
        for component in components:
            Referencer.set_references_for_one(references, component)

    @staticmethod
    def unset_references_for_one(component: Any) -> None:
        if isinstance(component, IUnreferenceable):
            component.unset_references()

    @staticmethod
    def unset_references(components: Iterable[Any]) -> None:
        for component in components:
            Referencer.unset_references_for_one(component)
