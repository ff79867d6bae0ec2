"""Whether the genuine package of iop is installed beside this one: its top-level packages have the same names."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from junctor.errors import JunctorError

GENUINE = "iris-pex-embedded-python"


class GenuinePackage(JunctorError):
    """The package of InterSystems' community is installed in the same environment, so that ``import iop`` may mean
    either."""

    code = "iop-installed"
    default_fix = f"Keep one of the two: python -m pip uninstall {GENUINE}, then install junctor-iop again."


def refuse_genuine() -> None:
    """:raises GenuinePackage: it is installed here."""
    try:
        found = version(GENUINE)
    except PackageNotFoundError:
        return
    raise GenuinePackage(f"{GENUINE} {found} is installed here, and brings other packages iop and grongier")
