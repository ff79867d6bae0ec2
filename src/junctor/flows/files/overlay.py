"""One flow file over another: mappings merge, lists and single values replace, null removes."""

from __future__ import annotations

from junctor.errors import ConfigurationError, nearest
from junctor.settings import Leaf, Table
from junctor.settings.written import Node


def laid_over(base: Table, over: Table, problems: list[ConfigurationError], path: str = "") -> Table:
    """The mapping with another over it. Every value keeps the place where it was finally written.

    :param problems: gets what removes nothing.
    """
    entries, keys = dict(base.entries), dict(base.keys)
    for key, node in over.entries.items():
        place = over.keys.get(key, over.place)
        below = f"{path}.{key}".lstrip(".")
        if _removes(node):
            if key not in entries:
                fix = nearest(key, entries).strip() or "Leave it out."
                problems.append(ConfigurationError(f"there is no {below} to remove", where=place, fix=fix))
            entries.pop(key, None)
            keys.pop(key, None)
            continue
        under = entries.get(key)
        if isinstance(under, Table) and isinstance(node, Table):
            node = laid_over(under, node, problems, below)
        entries[key] = node
        keys[key] = place
    return Table(entries, over.place, keys)


def _removes(node: Node) -> bool:
    return isinstance(node, Leaf) and node.value is None and node.style == "plain"
