"""What ``junctor doctor`` runs: it finds errors in the files of a project and corrects those that it understands.

A dialect that has a doctor names it by an entry point of the group :data:`GROUP`.
"""

from junctor.dialects.doctors.correcting import corrected
from junctor.dialects.doctors.findings import Edit, Finding
from junctor.dialects.doctors.project import Project
from junctor.dialects.doctors.registry import GROUP, Doctor, doctors

__all__ = ("GROUP", "Doctor", "Edit", "Finding", "Project", "corrected", "doctors")
