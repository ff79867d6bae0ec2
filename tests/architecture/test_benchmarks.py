"""The table of ``make bench`` names functions that are there, and has the jobs of every list."""

from __future__ import annotations

import ast

import pytest

from benchmarks.jobs import JOBS
from benchmarks.jobs_of_microservicebus import jobs
from tests.architecture.tree import ROOT

CALLS = sorted(
    {side.call for job in JOBS.values() for side in job.sides} | {job.prepare for job in JOBS.values()} - {""}
)


@pytest.mark.parametrize("call", CALLS)
def test_a_side_is_a_function(call: str) -> None:
    module, _, function = call.partition(":")
    tree = ast.parse((ROOT / module.replace(".", "/")).with_suffix(".py").read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_table_has_the_jobs_of_other_lists() -> None:
    assert {job.name for job in jobs()} <= set(JOBS)
