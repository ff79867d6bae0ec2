"""The error of ``AddPipPackage``."""

from __future__ import annotations

from junctor.errors import JunctorError


class PackageError(JunctorError):
    """A package cannot be installed or imported, or its flow does not allow it."""

    code = "package"
    default_fix = "Correct the name, or install it beside Junctor: pip install NAME."
