"""The pytest plugin: the fixture ``junctor``. It imports nothing until a test asks for the fixture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from junctor.testing._run import Running

__all__ = ("junctor",)


@pytest.fixture
def junctor(request: pytest.FixtureRequest) -> Callable[..., Running]:
    """Run a flow: ``with junctor("flow.yaml") as plant:``, in async tests ``async with``.

    Takes what ``junctor.testing.running`` takes. A path is looked for in the folder of the test first, then in those
    above it up to the root of the project.
    """
    from junctor.testing._fixture import factory

    return factory(request.path.parent, request.config.rootpath)
