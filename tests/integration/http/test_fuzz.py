"""Generated requests against a node in a process of its own: no answer is a 5xx, every answer is as documented."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.http import everything
from tests.integration.http.fuzzing import generated, hostile

SEED = random.SystemRandom().randrange(2**32)


@pytest.fixture
def node(short_dir: Path) -> Iterator[int]:
    """The port of a node that runs the service with everything."""
    source = Path(everything.__file__)
    command = [sys.executable, "-m", "junctor", "run", str(source), "--port", "0", "--store", str(short_dir / "store")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=short_dir)
    said = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "stop with" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)", "".join(said))
        assert found, "".join(said)
        yield int(found[1])
    finally:
        process.terminate()
        rest = process.communicate(timeout=20)[0]
    assert process.returncode == 0 and "Traceback" not in rest, rest[-4000:]


def campaign(port: int, seed: int, by_schema: int, by_hand: int) -> None:
    """``by_schema`` and ``by_hand`` requests at the least."""
    print(f"seed {seed}")
    url = f"http://127.0.0.1:{port}"
    document = requests.get(f"{url}/openapi.json", timeout=10).json()
    answers = hostile(port, document, by_hand, seed)
    assert answers.total() >= by_hand and answers[200] and answers[400] and answers[415] and answers[422]
    made, turn = generated(url, document, by_schema, seed), 1
    while made.total() < by_schema and by_schema > 1000:
        made += generated(url, document, by_schema - made.total(), seed + 1000 * turn)
        turn += 1
    print(f"by schema {dict(made)}, by hand {dict(answers)}")
    assert made[200] and made[422]
    assert requests.get(f"{url}/health/ready", timeout=10).json()["status"] == "ready"


@pytest.mark.timeout(180)
def test_some_hundred_requests(node: int) -> None:
    campaign(node, SEED, by_schema=200, by_hand=400)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_ten_thousand_requests_of_each_kind(node: int) -> None:
    campaign(node, SEED, by_schema=10_000, by_hand=10_000)
