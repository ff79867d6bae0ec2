"""The doctor of Pip.Services on texts: what it corrects, and above all what it leaves alone."""

from __future__ import annotations

import random
from pathlib import Path
from textwrap import dedent

import pytest

from junctor.dialects.doctors import Finding, Project, corrected
from junctor.dialects.doctors.correcting import apply, parses
from junctor.dialects.pip_services.doctor import environment
from junctor.dialects.pip_services.doctor.doctor import DOCTOR
from junctor.dialects.pip_services.doctor.known_names import MODULES
from tests.seeds.pages import blocks


def project(**files: str) -> Project:
    """``a_py`` stands for ``a.py``; lines are dedented."""
    named = {"__".join(name.split("_")[:-1]) + "." + name.split("_")[-1]: dedent(text) for name, text in files.items()}
    return Project(Path("/nowhere"), named)


def found(given: Project) -> list[Finding]:
    return [finding for finding in DOCTOR.examine(given) if finding.file]


def codes(given: Project) -> list[str]:
    return [finding.code for finding in found(given)]


def fixed(given: Project, file: str) -> str:
    return corrected(given, found).files[file]


SERVICE = """\
    from pip_services3_rpc.services import RestService

    class Service(RestService):
        def register(self):
            self.register_route("get", {route}, None, self.answer)

        def answer({arguments}):
            {body}
    """


def service(route: str = '"/answer"', arguments: str = "self", body: str = "return self.send_result(1)") -> Project:
    return project(service_py=dedent(SERVICE).format(route=route, arguments=arguments, body=body))


# Names ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "from x import *\nclass A(RestService): pass",
        "try:\n    Descriptor\nexcept NameError:\n    Descriptor = None",
        "def f():\n    global Descriptor\n    Descriptor = 1\ndef g():\n    return Descriptor",
        "Descriptor: type\nprint(Descriptor)",
        "for Descriptor in []:\n    pass\nprint(Descriptor, __file__, __name__)",
        "def f(Descriptor):\n    return lambda: [Descriptor for _ in range(3)]",
        "import typing\nif typing.TYPE_CHECKING:\n    from a import Descriptor\ndef f(d: Descriptor): ...",
        "class A:\n    Descriptor = 1\n    b = Descriptor",
        "class A:\n    def f(self):\n        return super().f() or __class__",
        "with open('x') as Descriptor:\n    print(Descriptor)",
        "match 1:\n    case Descriptor:\n        print(Descriptor)",
        "[Descriptor := 1]\nprint(Descriptor)",
    ],
)
def test_what_is_defined_somewhere_is_not_missing(text: str) -> None:
    assert not codes(project(a_py=text))


def test_imports_come_behind_the_first_ones() -> None:
    text = '"""Doc."""\nfrom __future__ import annotations\nimport os\n\nx = 1\nimport re\n\nA = Descriptor, os, re\n'
    made = fixed(project(a_py=text), "a.py")
    assert made == text.replace("import os\n", "import os\nfrom pip_services3_commons.refer import Descriptor\n")


def test_imports_come_below_the_first_comments_and_texts() -> None:
    line = "from pip_services3_components.build import Factory\n"
    text = "#!/usr/bin/env python\n# coding\nclass A(Factory): ...\n"
    assert fixed(project(a_py=text), "a.py") == text.replace("class", f"{line}\n\nclass")
    text = '"""Two\nlines."""\n\nclass A(Factory): ...\n'
    assert fixed(project(a_py=text), "a.py") == text.replace('."""\n', f'."""\n{line}')


def test_classes_of_the_project_are_imported_from_their_files() -> None:
    given = project(Home_py="class Home: ...\n", a_py="print(Home)\n")
    assert fixed(given, "a.py") == "from Home import Home\n\n\nprint(Home)\n"
    twice = Project(Path("/nowhere"), {"Home.py": "class Home: ...", "b/Home.py": "class Home: ...", "a.py": "Home"})
    assert [(each.code, each.correctable) for each in found(twice)] == [("undefined-name", False)]


def test_an_unknown_name_is_shown_and_left() -> None:
    (finding,) = found(project(a_py="\n\nprint(Unheard)\n"))
    assert (finding.code, finding.line, finding.correctable) == ("undefined-name", 3, False)


def test_the_known_classes_are_where_the_table_says() -> None:
    import importlib

    for name, module in MODULES.items():
        ours = module.replace("pip_services3_", "junctor.dialects.pip_services.")
        assert hasattr(importlib.import_module(ours), name), (module, name)


# Methods ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "class A:\n    @staticmethod\n    def configure(config): ...",
        "class A:\n    def make(config):\n        return config\n    b = make(1)",
        "class A:\n    def configure(cls): ...",
        "class A:\n    def open(path):\n        return path\nA.open('x')",
        "class A:\n    def configure(this, config): ...",
        "class A:\n    def configure(*args): ...",
        "self = 1\nclass A:\n    def f(x):\n        return self",
        "def configure(config): ...",
    ],
)
def test_functions_that_may_be_meant_are_left_without_self(text: str) -> None:
    assert not codes(project(a_py=text))


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("def configure(config): ...", "def configure(self, config): ..."),
        ("def close(cid:str)->None: ...", "def close(self, cid:str)->None: ..."),
        ("def is_open( ): return True", "def is_open(self): return True"),
        ("def any(a, b=1): return self.x(a, b)", "def any(self, a, b=1): return self.x(a, b)"),
        ("async def any(*, a): return self.x(a)", "async def any(self, *, a): return self.x(a)"),
    ],
)
def test_self_is_put_in_front(line: str, made: str) -> None:
    assert fixed(project(a_py=f"class A:\n    {line}\n"), "a.py") == f"class A:\n    {made}\n"


def test_a_private_attribute_is_read_by_the_name_that_is_set() -> None:
    text = "class A:\n    __default_name = 1\n    def f(self):\n        return f'{self.__defaultName}'\n"
    made = fixed(project(a_py=text), "a.py")
    # The places in an f-string are those of the text only from Python 3.12 on.
    assert made in (text, text.replace("__defaultName", "__default_name"))
    text = text.replace("f'{", "(").replace("}'", ")")
    assert fixed(project(a_py=text), "a.py") == text.replace("__defaultName", "__default_name")
    assert not codes(project(a_py=text.replace("__defaultName", "__another")))


# REST services ----------------------------------------------------------------------------------------------


def test_a_right_service_is_left_alone() -> None:
    assert not codes(service())
    assert not codes(service('"/items/<id>"', "self, id"))
    assert not codes(service('"/items"', "self, id=None"))


def test_a_route_is_called_like_its_handler_where_nothing_sets_it() -> None:
    assert '"get", "/answer", None' in fixed(service("self._route"), "service.py")
    given = service("self._route")
    own = given.files["service.py"].replace("RestService):\n", 'RestService):\n    _route = "x"\n\n')
    assert not codes(given.with_files({"service.py": own}))


def test_parameters_of_a_query_are_read_in_the_handler() -> None:
    made = fixed(service('"/items/<id>"', "self, id, name: str, *, more, rest=1"), "service.py")
    assert "def answer(self, id, *, rest=1):\n" in made
    assert '        name = self._endpoint.get_param("name", None)\n        more = self._endpoint.get' in made


def test_a_handler_with_another_type_is_shown_and_left() -> None:
    (finding,) = found(service(arguments="self, count: int"))
    assert (finding.code, finding.correctable) == ("handler-arguments", False)


def test_a_handler_that_is_also_called_keeps_its_parameters() -> None:
    given = service(arguments="self, name")
    text = given.files["service.py"].replace("register(self):\n", "register(self):\n        self.answer('x')\n")
    assert not codes(given.with_files({"service.py": text}))


@pytest.mark.parametrize(
    ("body", "made"),
    [
        ("self.send_result(1)", "return self.send_result(1)"),
        ("self.send_deleted_result(self.x)", "return self.send_deleted_result(self.x)"),
        ("if x: self.send_error(1)\n        else: pass", "if x: return self.send_error(1)\n        else: pass"),
        ("self.send_result(1)\n        self.done()", ""),
        ("self.send_mail(1)", ""),
        ("self.other.send_result(1)", ""),
    ],
)
def test_a_result_is_returned_where_the_handler_ends(body: str, made: str) -> None:
    given = service(body=body)
    text = given.files["service.py"].replace("x:", "1:")
    given = given.with_files({"service.py": text})
    assert fixed(given, "service.py") == (
        text.replace(body.replace("x:", "1:"), made.replace("x:", "1:")) if made else text
    )


BASE = """\
from pip_services3_commons.refer import Descriptor
from pip_services3_rpc.services import RestService

class S(RestService):
    def __init__(self):
        self._base_route = "{}"
        self.other = Descriptor("{}", "b", "c", "d", "1.0")
"""


@pytest.mark.parametrize(
    ("route", "group", "meant"),
    [
        ("/hello_word", "hello-world", "/hello_world"),
        ("hello-wolrd", "hello-world", "hello-world"),
        ("/hello_world", "hello-world", ""),
        ("/hello_words", "hello-word", ""),
        ("/hello", "hello-world", ""),
        ("/v1/beacons", "beacons", ""),
        ("/beacon", "beacons", ""),
        ("/goodbye_world", "hello-world", ""),
        ("/my_cat", "my-car", ""),
    ],
)
def test_a_base_route_with_a_wrong_letter(route: str, group: str, meant: str) -> None:
    text = BASE.format(route, group)
    assert fixed(project(a_py=text), "a.py") == (text.replace(route, meant) if meant else text)


def test_a_base_route_that_is_in_use_stays() -> None:
    text = BASE.format("/hello_word", "hello-world")
    assert not codes(project(a_py=text, README_md="curl http://localhost/hello_word/greeting"))


# Configuration and requirements -----------------------------------------------------------------------------


def test_components_are_indented_with_what_is_below_them() -> None:
    text = """\
    # all
    - descriptor: "a:b:c:d:1.0"
    path: {{PATH}}
    {{#if DEEP}}
    options:
      deep:
        - 1

      wide: 2
    {{/if}}
    - descriptor: "e:f:g:h:1.0"
    - descriptor: "i:j:k:l:1.0"
      name: x
    """
    made = dedent(text).replace("path:", "  path:").replace("options:", "  options:").replace("  deep:", "    deep:")
    made = made.replace("    - 1", "      - 1").replace("  wide", "    wide")
    assert fixed(project(config_yml=text), "config.yml") == made


@pytest.mark.parametrize(
    "text",
    [
        '- descriptor: "a:b:c:d:1.0"\n  name: x\n',
        "name: x\nother: y\n",
        '{{#if A}}\n- descriptor: "a:b:c:d:1.0"\n{{/if}}\n',
        "services:\n  - name: x\n",
        "",
    ],
)
def test_yaml_that_is_right_or_of_others_is_left_alone(text: str) -> None:
    assert not codes(project(config_yml=text))


def test_yaml_that_indenting_does_not_mend_is_shown_and_left() -> None:
    (finding,) = found(project(config_yml='- descriptor: "a:b:c:d:1.0"\nname: [x\n'))
    assert (finding.code, finding.correctable) == ("yaml", False)


CONFIG = "class P:\n    def __init__(self):\n        self._config_path = './conf/c.yaml'\n"


def test_a_path_of_the_configuration_follows_the_file() -> None:
    given = Project(Path("/nowhere"), {"a.py": CONFIG, "conf/c.yml": ""})
    assert fixed(given, "a.py") == CONFIG.replace("yaml", "yml")
    assert not codes(given.with_files({"conf/c.yaml": ""}))
    assert not codes(Project(Path("/nowhere"), {"a.py": CONFIG}))


def test_requirements_name_ours_and_what_the_project_imports() -> None:
    text = (
        "# ours\nrequests>=2 # http\nPyYAML\nflask\n-r other.txt\npip_services3_commons>=3\nPip.Services3.RPC\npytz\n"
    )
    given = project(requirements_txt=text, a_py="import requests\n")
    made = fixed(given, "requirements.txt")
    assert made == "# ours\nrequests>=2 # http\nflask\n-r other.txt\njunctor-pip-services3\n"
    assert not codes(project(requirements_txt="requests\npytz\n"))
    assert fixed(project(requirements_txt="pip-services3-data\njunctor-pip-services3\n"), "requirements.txt") == (
        "junctor-pip-services3\n"
    )


def test_original_packages_in_an_environment_of_the_project_are_found(tmp_path: Path) -> None:
    for name in ("pip_services3_commons", "pip_services3_rpc", "junctor_pip_services3"):
        folder = tmp_path / "venv" / "lib" / "python3.11" / "site-packages" / f"{name}-3.0.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 3.0\n")
    (finding,) = environment.check(Project(tmp_path, {}))
    assert finding.what.endswith(": pip-services3-commons, pip-services3-rpc")
    assert finding.fix.startswith("Run: venv/bin/python -m pip uninstall -y pip-services3-commons pip-services3-rpc &&")
    assert not finding.correctable


def test_an_add_on_stays_and_is_named() -> None:
    given = project(requirements_txt="junctor-pip-services3\npip_services3_mongodb\n")
    (finding,) = found(given)
    assert (finding.code, finding.line, finding.correctable) == ("add-on-package", 2, False)
    assert not codes(project(requirements_addons_txt="pip_services3_mongodb\n"))


# All together -----------------------------------------------------------------------------------------------


def test_a_file_that_is_no_python_is_named_and_left() -> None:
    (finding,) = found(project(a_py="import pip_services3_commons\nclass A(\n"))
    assert (finding.code, finding.line, finding.correctable) == ("syntax", 2, False)


def test_each_correction_removes_its_finding() -> None:
    given = Project(Path("/nowhere"), blocks("pip_services"))
    for finding in found(given):
        assert finding.correctable, finding
        rest = found(apply(given, [finding]))
        assert (finding.code, finding.what) not in [(one.code, one.what) for one in rest], finding


def test_nothing_that_was_python_ever_ceases_to_be() -> None:
    """Pages with lines lost, doubled and joined at random: corrected twice is corrected once."""
    seed = random.randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    page = blocks("pip_services")
    for _ in range(40):
        files = {name: _damaged(text, chance) for name, text in page.items()}
        before = Project(Path("/nowhere"), files)
        after = corrected(before, found)
        for name in after.changed_from(before):
            assert not name.endswith(".py") or parses(after.files[name]) or not parses(files[name]), (seed, name)
        assert not corrected(after, found).changed_from(after), seed


def _damaged(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(lines))
        lines[at : at + 1] = chance.choice(([], [lines[at]] * 2, [lines[at][:10]], [" " + lines[at]]))
    return "\n".join(lines)
