"""AddPipPackage: what is installed, from where, and what is refused."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from junctor.dialects.microservicebus.packages import Folder, IndexAway, PackageError, PackageRules, Packages
from junctor.dialects.microservicebus.packages.folder import HOME
from junctor.dialects.microservicebus.packages.requirement import requirement_of
from junctor.dialects.microservicebus.packages.uv import failure
from tests.servers.index import Index


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """Of names that only this test has; what it brings is forgotten behind it."""
    made = Index(tmp_path / "index")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    path, modules = list(sys.path), set(sys.modules)
    yield made
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("jn_"):
            del sys.modules[name]


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return tmp_path / "node"


def packages(node: Path, lines: list[str] | None = None, base: Path = Path(), **rules: Any) -> Packages:
    tell = (lambda text: None) if lines is None else lines.append
    return Packages(Folder(node), PackageRules(**rules), base, tell)


def forget(*names: str) -> None:
    """As a process that starts anew."""
    for name in names:
        sys.modules.pop(name, None)
    sys.path[:] = [path for path in sys.path if f"{os.sep}{HOME}{os.sep}" not in path]


def offline(monkeypatch: pytest.MonkeyPatch, index: Index) -> None:
    """Nothing can be fetched, and uv cannot even be started."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")  # uv may be beside it
    monkeypatch.setenv("UV_FIND_LINKS", "")


def test_a_package_is_installed_with_what_it_needs(index: Index, node: Path) -> None:
    index.add("jn-one", "1.0", "import jn_two\nVALUE = jn_two.VERSION\n", ["jn-two>=2"])
    index.add("jn-two", "2.1")
    lines: list[str] = []
    assert packages(node, lines).add("Jn_One", "jn_one", "VALUE") == "2.1"
    assert lines[0] == "installing jn-one" and lines[1].startswith("installed jn-one 1.0, jn-two 2.1 in ")
    assert not any(name.startswith(".new") for _, folders, _ in os.walk(node) for name in folders)


def test_what_is_there_comes_at_once_also_offline(index: Index, node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index.add("jn-three", "1.0")
    packages(node).add("jn-three==1.0", "jn_three", "VERSION")
    forget("jn_three")
    offline(monkeypatch, index)
    assert packages(node).add("jn-three", "jn_three", "VERSION") == "1.0"
    forget("jn_three")
    assert packages(node).add("jn-three==1.0", "jn_three", "VERSION") == "1.0"
    assert packages(node).add("not-a-package-of-anybody", "json", "loads") is not None


@pytest.mark.parametrize(
    "name",
    [
        "x; touch y",
        "-r requirements.txt",
        "--index-url=http://evil",
        "../x",
        "x @ https://evil/x.whl",
        "./x",
        "",
        "x\ny",
    ]
    + ["git+https://evil/x", "x; python_version > '3'", "x&&y", "$(touch y)", "x" * 500, "é", "x-", "[all]", None, 7],
)
def test_what_is_no_name_is_refused(name: Any, node: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(PackageError, match="no name of a package; nothing was installed"):
        packages(node).add(name, "y", "Z")
    assert not node.exists() and not Path("y").exists()
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(("module", "name"), [("..json", "x"), ("", "x"), ("os;x", "x"), ("json", "a.b"), ("json", "")])
def test_modules_and_objects_have_names(module: str, name: str, node: Path) -> None:
    with pytest.raises(PackageError, match="no name of"):
        packages(node).add("jn-four", module, name)


def test_an_unknown_package_is_named_with_the_reason(index: Index, node: Path) -> None:
    with pytest.raises(PackageError) as caught:
        packages(node).add("jn-nowhere", "jn_nowhere", "X")
    assert caught.value.what.startswith("jn-nowhere")
    assert "not found" in caught.value.what and "Check the name" in caught.value.fix
    assert not any(part.name == "jn-nowhere" for part in node.rglob("*"))


def test_a_module_or_object_that_is_not_in_it(index: Index, node: Path) -> None:
    index.add("jn-five", "1.0", "class Client: ...\n", module="jn_fife")
    with pytest.raises(PackageError, match="jn-five.*has no module jn_five") as caught:
        packages(node).add("jn-five", "jn_five", "Client")
    assert 'Did you mean "jn_fife"?' in caught.value.fix
    with pytest.raises(PackageError, match="jn-five: jn_fife has no client") as caught:
        packages(node).add("jn-five", "jn_fife", "client")
    assert 'Did you mean "Client"?' in caught.value.fix


def test_a_package_that_raises_when_it_is_imported(index: Index, node: Path) -> None:
    index.add("jn-six", "1.0", "1 / 0\n")
    with pytest.raises(PackageError, match="jn-six.*ZeroDivisionError: division by zero"):
        packages(node).add("jn-six", "jn_six", "X")
    index.add("jn-seven", "1.0", "import jn_not_there\n")
    with pytest.raises(PackageError, match="jn-seven.*needs the module jn_not_there"):
        packages(node).add("jn-seven", "jn_seven", "X")


def test_other_versions(index: Index, node: Path) -> None:
    index.add("jn-eight", "1.0")
    index.add("jn-eight", "2.0")
    assert packages(node).add("jn-eight<2", "jn_eight", "VERSION") == "1.0"
    with pytest.raises(PackageError, match=r"jn-eight>=2: >=2 is wanted, and 1\.0 is in use") as caught:
        packages(node).add("jn-eight>=2", "jn_eight", "VERSION")
    assert caught.value.fix == "Restart the node."
    forget("jn_eight")
    assert packages(node).add("jn-eight>=2", "jn_eight", "VERSION") == "2.0"
    with pytest.raises(PackageError, match=r"pytest<1: <1 is wanted, and .* is installed in"):
        packages(node).add("pytest<1", "pytest", "raises")


def test_two_packages_agree_on_what_they_need(index: Index, node: Path) -> None:
    index.add("jn-nine", "1.0", needs=["jn-shared<2"])
    index.add("jn-ten", "1.0", needs=["jn-shared>=2"])
    index.add("jn-shared", "1.5")
    index.add("jn-shared", "2.5")
    packages(node).add("jn-nine", "jn_nine", "VERSION")
    with pytest.raises(PackageError, match=r"jn-ten.*jn-shared"):
        packages(node).add("jn-ten", "jn_ten", "VERSION")


def test_only_what_the_flow_allows(index: Index, node: Path) -> None:
    index.add("jn-eleven", "1.0")
    index.add("jn-twelve", "1.0")
    assert packages(node, allow=["Jn_Eleven"]).add("jn-eleven", "jn_eleven", "VERSION") == "1.0"
    with pytest.raises(PackageError, match="jn-twelve: it is not among the packages that the flow allows") as caught:
        packages(node, allow=["jn-eleven"]).add("jn-twelve", "jn_twelve", "VERSION")
    assert "packages.allow" in caught.value.fix
    forget("jn_eleven")
    with pytest.raises(PackageError, match="not among"):  # it is on the disk, and not allowed any more
        packages(node, allow=[]).add("jn-eleven", "jn_eleven", "VERSION")


def test_a_lock_file(index: Index, node: Path, tmp_path: Path) -> None:
    lock = tmp_path / "packages.lock"
    one = index.add("jn-locked", "1.0", needs=["jn-below"])
    below = index.add("jn-below", "3.0")
    index.add("jn-locked", "2.0", needs=["jn-below"])
    lock.write_text("# by uv\n--only-binary :all:\n" + one.replace(" --hash", " \\\n    --hash") + below)
    under = packages(node, base=tmp_path, lock="packages.lock")
    assert under.add("jn-locked", "jn_locked", "VERSION") == "1.0"
    with pytest.raises(PackageError, match="jn-other: it is not in the lock file"):
        under.add("jn-other", "jn_other", "VERSION")


def test_a_hash_that_is_another_one(index: Index, node: Path, tmp_path: Path) -> None:
    lock = tmp_path / "packages.lock"
    good = index.add("jn-hashed", "1.0", "SAFE = 1\n")
    lock.write_text(good)
    index.add("jn-hashed", "1.0", "SAFE = 0\n")
    under = packages(node, base=tmp_path, lock="packages.lock")
    with pytest.raises(PackageError, match=r"jn-hashed.*[Hh]ash") as caught:
        under.add("jn-hashed", "jn_hashed", "SAFE")
    assert "lock file" in caught.value.fix
    lock.write_text(good + "jn-more\n")
    with pytest.raises(PackageError, match="lacks NAME==VERSION: jn-more"):
        under.add("jn-hashed", "jn_hashed", "SAFE")
    lock.write_text("jn-hashed==1.0\n")
    with pytest.raises(PackageError, match="lacks hashes"):
        under.add("jn-hashed", "jn_hashed", "SAFE")
    lock.unlink()
    with pytest.raises(PackageError, match="lock file cannot be read"):
        under.add("jn-hashed", "jn_hashed", "SAFE")


def test_what_came_without_a_lock_is_installed_again_under_one(index: Index, node: Path, tmp_path: Path) -> None:
    line = index.add("jn-before", "1.0")
    packages(node).add("jn-before", "jn_before", "VERSION")
    forget("jn_before")
    (tmp_path / "lock").write_text(line)
    lines: list[str] = []
    assert packages(node, lines, base=tmp_path, lock="lock").add("jn-before", "jn_before", "VERSION") == "1.0"
    assert lines[0] == "installing jn-before"


def test_many_at_once_install_once(index: Index, node: Path) -> None:
    index.add("jn-many", "1.0")
    lines: list[str] = []
    found: list[Any] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        barrier.wait()
        found.append(packages(node, lines).add("jn-many", "jn_many", "VERSION"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["1.0"] * 8
    assert lines.count("installing jn-many") == 1


def test_what_a_killed_node_left_is_removed(index: Index, node: Path) -> None:
    index.add("jn-left", "1.0")
    place = Folder(node).path("jn-left").parents[1]
    half = place / ".new-abc" / "site-packages" / "jn_left"
    half.mkdir(parents=True)
    (half / "__init__.py").write_text("VERSION = 'half'\n")
    (place / "jn-left" / "site-packages").mkdir(parents=True)  # without its record it counts for nothing
    assert packages(node).add("jn-left", "jn_left", "VERSION") == "1.0"
    assert sorted(path.name for path in place.iterdir()) == [".lock", "jn-left"]


def test_without_uv(index: Index, node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(node / "python"))  # uv may be beside it
    with pytest.raises(PackageError, match="jn-thirteen: uv is not installed"):
        packages(node).add("jn-thirteen", "jn_thirteen", "X")


def test_a_folder_that_cannot_be_written(index: Index, tmp_path: Path) -> None:
    (tmp_path / "node").write_text("a file")
    with pytest.raises(PackageError, match="jn-thirteen: the folder for packages cannot be written"):
        packages(tmp_path / "node").add("jn-thirteen", "jn_thirteen", "X")


def test_a_service_without_a_node_imports_only() -> None:
    alone = Packages(None, PackageRules())
    assert alone.add("anything", "json", "loads") is not None
    with pytest.raises(PackageError, match="jn-nothing: it is missing, and no node is there"):
        alone.add("jn-nothing", "jn_nothing", "X")


@pytest.mark.parametrize(
    ("text", "kind", "fix"),
    [
        (
            "error: Failed to fetch: http://x/\n  cause: error sending request for url\n  cause: dns error",
            IndexAway,
            "network",
        ),
        (
            "error: Failed to fetch: http://x/\n  cause: HTTP status server error (503 Service Unavailable)",
            IndexAway,
            "network",
        ),
        ("  × No solution found:\n  ╰─▶ Because jn was not found in the package registry", PackageError, "name"),
        ("error: error sending request\n cause: invalid peer certificate: UnknownIssuer", PackageError, "authority"),
        ("error: Hash mismatch for `a==1`\n\n  Expected:\n    sha256:1", PackageError, "lock file"),
        ("hint: an index needs authentication", PackageError, "credentials"),
        ("", PackageError, "pip"),
    ],
)
def test_what_uv_says(text: str, kind: type[PackageError], fix: str) -> None:
    found = failure(text, 2)
    assert type(found) is kind and fix in found.fix
    assert "error:" not in found.what and "╰" not in found.what and found.what


@given(st.text(max_size=60) | st.from_regex(r"[a-zA-Z0-9._\[\],<>=!~* ;@/-]{0,40}", fullmatch=True))
def test_what_reaches_uv_is_a_name_and_versions_only(text: str) -> None:
    try:
        found = requirement_of(text)
    except PackageError:
        return
    assert re.fullmatch(
        r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\[[a-z0-9,-]*\])?([=<>!~]+[A-Za-z0-9.*+!_,<>=~-]+)?", found.text
    )
    assert requirement_of(found.text) == found
