"""What stands over a flow file: other files, the environment, the command line. Later ones win."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Overrides(msgspec.Struct, frozen=True, kw_only=True):
    """What is said beside the flow file.

    ``overlays`` are files merged over it, in order; ``env_files`` have ``NAME=value`` lines for ``${NAME}``, under the
    environment; ``set`` has ``service.setting=value`` texts; ``name`` is another name for the flow. ``environment``
    says whether ``JUNCTOR_SET_SERVICE__SETTING`` counts. ``beside``: there are other flows, and a change of a service
    that this one does not have may be meant for them. ``incomplete``: the flow is not to run, so that variables and
    secrets may be missing; what needs them is left out.
    """

    overlays: tuple[str, ...] = ()
    env_files: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    name: str | None = None
    environment: bool = True
    beside: bool = False
    incomplete: bool = False


class FlowSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a flow came from, so that it can be loaded again: ``text`` as the user named it, with its overrides.

    ``folder`` is the working folder at that time; ``files`` are the flow files that were read, in order.
    """

    text: str
    overrides: Overrides = Overrides()
    folder: Path
    files: tuple[Path, ...] = ()
