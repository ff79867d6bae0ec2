"""Data, not code: nothing in Junctor runs what a message, a file or a peer could have written; TLS is verified."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.tree import Source, calls, dotted, imported, report, sources

MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle"}
BUILTINS = {"eval", "exec", "compile"}
CALLS = {"os.system", "os.popen", "ssl._create_unverified_context", "yaml.load", "yaml.unsafe_load"}
# keyword -> the value that switches a protection off
KEYWORDS = {"shell": True, "verify": False, "ssl": False, "check_hostname": False}
# A file that may use one of these, and why. Each row names one thing in one place.
ALLOWED: dict[tuple[str, str], str] = {}


def unwanted(source: Source) -> Iterator[tuple[str, ast.AST]]:
    for module, node in imported(source):
        if module.partition(".")[0] in MODULES:
            yield module, node
    for _, call in calls(source):
        name = dotted(call.func)
        if name in CALLS or (isinstance(call.func, ast.Name) and name in BUILTINS):
            yield name, call
        for keyword in call.keywords:
            value = getattr(keyword.value, "value", None)
            if isinstance(value, bool) and KEYWORDS.get(keyword.arg or "") is value:
                yield f"{keyword.arg}={value}", call
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr == "CERT_NONE":
            yield "CERT_NONE", node
        if isinstance(node, ast.Assign) and dotted(node.targets[0]).endswith("check_hostname"):
            yield "check_hostname", node


def test_no_code_from_data_and_no_switch_for_tls() -> None:
    found = [
        f"{source.at(node)} {what}"
        for source in sources()
        for what, node in unwanted(source)
        if (source.place, what) not in ALLOWED
    ]
    assert not found, report("not allowed in Junctor:", found)


def test_the_table_has_no_stale_row() -> None:
    used = {(source.place, what) for source in sources() for what, _ in unwanted(source)}
    assert not set(ALLOWED) - used, "these are not used (any more); remove their rows"
