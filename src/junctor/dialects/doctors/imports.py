"""Lines of import in a Python file."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def with_imports(text: str, lines: Iterable[str]) -> str:
    """The text with these lines behind its first imports, or where such would stand; what it has is not repeated."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    known = {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
    new = sorted({line for line in lines if line not in known}, key=lambda line: (line.startswith("from"), line))
    if not new:
        return text
    have = text.split("\n")
    at, alone = _place(tree, have)
    gap = ["", ""] if alone and at < len(have) and have[at].strip() else []
    return "\n".join([*have[:at], *new, *gap, *have[at:]])


def _place(tree: ast.Module, lines: list[str]) -> tuple[int, bool]:
    """How many lines come before, and whether there is no other import."""
    end = 0
    for index, node in enumerate(tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            end = node.end_lineno or node.lineno
        elif not (index == 0 and _is_text(node)):
            break
    if end:
        return end, False
    if tree.body and _is_text(tree.body[0]):
        return tree.body[0].end_lineno or 1, True
    return next((index for index, line in enumerate(lines) if not line.startswith("#")), len(lines)), True


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
