"""The documentation site builds without a warning, and what it takes from the code is in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme.pages import ROOT


@pytest.mark.timeout(180)
def test_the_site_builds(tmp_path: Path) -> None:
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    commands = (tmp_path / "reference" / "commands" / "index.html").read_text()
    assert "junctor apply" in commands
    assert "Usage: junctor run" in commands
    words = (tmp_path / "reference" / "flow-files" / "index.html").read_text()
    assert "schedules" in words
    services = (tmp_path / "reference" / "services" / "index.html").read_text()
    assert "websocket" in services
    for page in tmp_path.rglob("*.html"):
        assert ":class:" not in page.read_text(), page
        assert 'src="http' not in page.read_text(), f"{page} fetches something from elsewhere"
