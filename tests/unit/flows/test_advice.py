"""A file that does not load, and was written for another system: who can tell more."""

from __future__ import annotations

from pathlib import Path

import pytest

from junctor.errors import ImportFailed
from junctor.flows.code.advice import requirement_of
from junctor.flows.code.imports import import_place

SENTENCE = "For {}, `junctor doctor{}` finds such errors in the files without running them."


def failed(folder: Path, place: str = "run.py", **files: str) -> str:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    with pytest.raises(ImportFailed) as caught:
        import_place(place)
    return caught.value.fix


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (
            "try:\n    import pip_services3_nowhere\nexcept ImportError: ...\nclass A(RestService): ...\n",
            "Pip.Services",
        ),
        ("from pip_services3_rpc.services import RestService\ndef f(:\n", "Pip.Services"),
        ("from servicefactory import Service\nService.none\n", "Service Factory"),
    ],
)
def test_a_file_of_a_system_that_has_a_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, title: str
) -> None:
    monkeypatch.chdir(tmp_path)
    fix = failed(tmp_path, run="import advised_part\n", advised_part=text)
    assert fix.endswith(SENTENCE.format(title, ""))


def test_the_folder_is_named_where_it_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    fix = failed(tmp_path / "shop", "shop/run2.py", run2="if False:\n    import servicefactory\n1 / 0\n")
    assert fix.endswith(SENTENCE.format("Service Factory", " shop"))


def test_all_other_files_are_left_to_their_authors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fix = failed(tmp_path, "run3.py", run3="# not from servicefactory\n1 / 0\n")
    assert fix == "Correct the line; the whole traceback is below."


def test_what_to_install_for_a_module_that_is_missing() -> None:
    assert requirement_of("pip_services3_commons.refer") == "junctor-pip-services3"
    assert requirement_of("pip_services3_prometheus") == "--no-deps pip-services3-prometheus"
    assert requirement_of("servicefactory") == "junctor-servicefactory"
    assert requirement_of("numpy.linalg") == "numpy"
