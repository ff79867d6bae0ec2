"""An index of packages that uv is told to ask: a folder with wheels that tests make."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path


class Index:
    """Wheels in a folder. ``environment`` are the variables by which uv asks it, and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        nothing = folder.parent / "empty-index"  # there is no variable for --no-index
        nothing.mkdir(exist_ok=True)
        self.environment = {
            "UV_DEFAULT_INDEX": nothing.as_uri(),
            "UV_FIND_LINKS": str(folder),
            "UV_CACHE_DIR": str(folder.parent / "cache"),
            "UV_NO_CONFIG": "1",
        }

    def add(self, name: str, version: str, code: str = "", needs: Iterable[str] = (), module: str = "") -> str:
        """A package with one module; the line of a lock file for it."""
        plain = name.replace("-", "_")
        information = f"{plain}-{version}.dist-info"
        required = "".join(f"Requires-Dist: {each}\n" for each in needs)
        files = {
            f"{module or plain}/__init__.py": code or f'VERSION = "{version}"\n',
            f"{information}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}",
            f"{information}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        files[f"{information}/RECORD"] = "".join(f"{each},,\n" for each in [*files, f"{information}/RECORD"])
        path = self.folder / f"{plain}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for each, text in files.items():
                wheel.writestr(each, text)
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"
