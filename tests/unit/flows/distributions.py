"""A small distribution, installed into a folder the way an installer leaves it there."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

PULSE = '''
    """Adapters of another house."""
    from typing import Any
    from junctor import RetryPolicy, Service, Target, every, handler, setting
    from junctor.core.policy import Policies

    class Pulse(Service):
        """Beats in an interval.

        The number of a beat goes on after a restart.

            heart:
              adapter: pulse
              settings: {text: "beat"}
              connect: {out: bell}
        """

        out: Target
        text: str = setting(doc="What each beat says.")
        count: int = setting(1, ge=1, le=9, unit="beats", doc="How many come at once.")
        token: str = setting("", secret=True, doc="For the pager.")

        @every("1s")
        async def beat(self): ...

    class Bell(Service):
        """Rings."""
        __junctor_policies__ = Policies(retry=RetryPolicy(attempts=7, on={"ConnectionError": "hold"}))
        side = "out"
        extra = "loud"
        needs = ("no_such_horn",)

        @handler
        def ring(self, body: Any) -> str: ...
'''
NAMES = {"pulse": "pulse_adapters:Pulse", "bell": "pulse_adapters:Bell"}


def install(
    folder: Path,
    name: str = "pulse",
    version: str = "1.2",
    code: str = PULSE,
    adapters: Mapping[str, str] = NAMES,
    group: str = "junctor.adapters",
) -> Path:
    """Put a distribution into a folder, which is to be on the path of Python.

    :param adapters: its entry points, name to ``module:Class``; ``code`` is the module ``NAME_adapters``.
    """
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n")
    points = "".join(f"{point} = {value}\n" for point, value in adapters.items())
    (info / "entry_points.txt").write_text(f"[{group}]\n{points}")
    (folder / f"{name}_adapters.py").write_text(textwrap.dedent(code))
    return folder
