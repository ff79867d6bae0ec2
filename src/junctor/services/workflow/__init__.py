"""Workflows: handlers whose course is a history, and who go on where they were after a restart."""

from junctor.services.workflow.marks import query, signal
from junctor.services.workflow.steps import Step
from junctor.services.workflow.workflow import Workflow

__all__ = ("Step", "Workflow", "query", "signal")
