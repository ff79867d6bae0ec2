"""Imports point down only, and a running node loads only what it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, SRC

# Each of these costs memory and start-up time in every node, so it is loaded by the part that needs it, then.
NEVER_AT_RUN = [
    "junctor.hub",
    "junctor.dialects",
    "junctor.adapters",
    "junctor.transports.nats",
    "nats",
    "aiohttp",
    "rich",
    "prometheus_client",
    "sqlalchemy",
    "pydantic",
    "fastapi",
    "starlette",
    "websockets",
    "python_multipart",
    "cel",
    "yaml",
    "h11",
]
NEVER_AT_IMPORT = ["apsw", "starlette", "uvicorn", "httptools", "rich", "click", "yaml", "prometheus_client"]


def test_the_import_contract_holds() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    done = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_junctor_loads_no_third_party_part() -> None:
    assert not present(loaded("import junctor"), [*NEVER_AT_IMPORT, *NEVER_AT_RUN])


@pytest.mark.parametrize("module", ["junctor.node", "junctor.cli.main", "junctor.cli.run"])
def test_what_a_run_imports(module: str) -> None:
    folder = SRC / "/".join(module.split(".")[1:])
    if not folder.with_suffix(".py").exists() and not (folder / "__init__.py").exists():
        return  # not written yet; the import contract knows it as an optional layer
    assert not present(loaded(f"import {module}"), NEVER_AT_RUN)


def test_a_running_node_has_loaded_only_what_it_runs(short_dir: Path, free_port: int) -> None:
    """Asks a node from the inside: the service writes down what is loaded once it runs."""
    if not (SRC / "cli" / "main.py").exists():
        return
    told = short_dir / "loaded.json"
    (short_dir / "probe.py").write_text(
        textwrap.dedent(f"""
            import json, os, sys
            from junctor import Service, every

            class Probe(Service):
                @every("100ms")
                def tell(self):
                    with open({str(told)!r} + ".new", "w") as out:
                        json.dump(sorted(sys.modules), out)
                    os.replace({str(told)!r} + ".new", {str(told)!r})
        """)
    )
    command = [sys.executable, "-m", "junctor", "run", "probe.py", "--port", str(free_port)]
    environment = {**os.environ, "JUNCTOR_STORE": str(short_dir / "store")}
    with (short_dir / "out").open("w+") as out:
        node = subprocess.Popen(command, cwd=short_dir, env=environment, stdout=out, stderr=out)
        try:
            until = time.monotonic() + 20
            while not told.exists() and node.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            node.send_signal(signal.SIGINT)
            assert node.wait(20) == 0, (short_dir / "out").read_text()
        finally:
            node.kill()
            node.wait()
    assert not present(json.loads(told.read_text()), NEVER_AT_RUN)


def loaded(statement: str) -> list[str]:
    """The modules in a fresh interpreter after this statement."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    names: list[str] = json.loads(done.stdout.splitlines()[-1])
    return names


def present(modules: list[str], unwanted: list[str]) -> list[str]:
    return [name for name in unwanted if any(module == name or module.startswith(f"{name}.") for module in modules)]
