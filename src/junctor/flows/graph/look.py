"""What drawings of Junctor have in common: colours, fonts, arrow heads, and texts that a browser may read."""

from __future__ import annotations

from html import escape

COLOURS = """
svg{--paper:#fff;--frame:#f6f8fa;--edge:#d5dbe1;--box:#fff;--ink:#1c2733;--soft:#5d6b7a;--line:#7a8896;--send:#2563a8;
--ask:#a2480f;--when:#7a3fa0;--tag:#fff;font-family:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){svg{--paper:#10151b;--frame:#161c24;--edge:#2d3743;--box:#1d2530;--ink:#e8edf2;
--soft:#98a6b5;--line:#8493a3;--send:#79b3f2;--ask:#f0a470;--when:#cf9df0;--tag:#161c24}}
.paper{fill:var(--paper)}
""".strip()
"""The style of every drawing: its colours by what they are for, light or dark as the page is, and the font."""

CODE_FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"

_UNITS = {**dict.fromkeys("iljtf.,:;|!'()[]{} /", 0.33), **dict.fromkeys("mwMW@%→⟲", 0.95)}
"""Widths of characters that differ from the usual, in parts of the font's size."""

_HARMLESS = frozenset(" .,-_/+=?!*:")


def tip(kind: str) -> str:
    """An arrow head, the marker ``kind-tip``; its colour is that of the class ``tip-kind``."""
    return (
        f'<marker id="{kind}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto-start-reverse">'
        f'<path class="tip-{kind}" d="M0 1l9.5 4L0 9z"/></marker>'
    )


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About how wide a text is. Fonts differ, so it is on the large side."""
    units = sum(_UNITS.get(char, 0.7 if char.isupper() else 0.6) for char in text)
    wide = sum(0.45 for char in text if ord(char) > 0x2E7F)
    return (units + wide) * size * (1.06 if bold else 1.0)


def svg_text(text: str) -> str:
    """Text for a file that a browser reads: escaped, without characters that XML cannot hold."""
    return escape("".join(char if char.isprintable() else " " for char in text), quote=True)


def mermaid_text(text: str) -> str:
    """Text for a label of Mermaid: everything that Mermaid or HTML could read as more than text goes by its number."""
    return "".join(char if char.isalnum() or char in _HARMLESS else f"#{ord(char)};" for char in text)
