"""The page itself."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

_HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Services</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; }
pre { background: #8881; overflow: auto; padding: 1rem; }
</style>
<h1>Services</h1>
"""
_SCRIPT = """<script>
for (const section of document.querySelectorAll("details"))
  section.addEventListener("toggle", async () => {
    const place = section.querySelector("pre");
    if (section.open && !place.textContent)
      place.textContent = await (await fetch(section.dataset.document)).text();
  });
</script>
"""


def page_of(documents: Mapping[str, str]) -> str:
    """A page of documents.

    :param documents: name and path of each.
    """
    if not documents:
        return (
            _HEAD + "<p>No service has a document: write <code>swagger: {enable: true}</code> in its configuration.</p>"
        )
    return _HEAD + "".join(_section(name, path) for name, path in sorted(documents.items())) + _SCRIPT


def _section(name: str, path: str) -> str:
    shown, place = escape(name), escape(path, quote=True)
    return (
        f'<details data-document="{place}"><summary>{shown} (<a href="{place}">{place}</a>)</summary>'
        "<pre></pre></details>\n"
    )
