"""The error of ``AddPipPackage``."""

from __future__ import annotations

from junctor.errors import JunctorError


class PackageError(JunctorError):
    """A package cannot be installed or imported, or its flow does not allow it."""

    code = "package"
    default_fix = "Correct the name, or install it beside Junctor: pip install NAME."


class IndexAway(PackageError):
    """The index of packages cannot be reached, or does not serve. A service of microServiceBus waits for it."""

    code = "package-index-away"
    default_fix = "Check the network of the node, and the index that uv asks (UV_DEFAULT_INDEX)."
