"""Text without quotes as YAML understands it, with what makes it doubtful.

The rules are those of YAML 1.1, which most readers keep to, with a look at what YAML 1.2 understands otherwise.
"""

from __future__ import annotations

import re
from typing import Any

from junctor.settings import Leaf
from junctor.settings.written import Looks

_WORDS = {"yes": True, "on": True, "no": False, "off": False, "true": True, "false": False}
_BOOLEAN = re.compile(r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF")
_NOTHING = re.compile(r"~|null|Null|NULL|")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_HEXADECIMAL = re.compile(r"[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*|[-+]?0b_*[01][01_]*")
_OCTAL = re.compile(r"[-+]?0o?[0-7_]+")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*|[0-9][0-9_]*(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_CLOCK = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE = re.compile(
    r"\d{4}-\d\d-\d\d"
    r"|\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?",
    re.ASCII,
)
_NUMBER_LENGTH = 100
"""Characters of a number; longer ones are text."""


def scalar(text: str, place: str, quoted: bool) -> Leaf:
    """One value of a file."""
    if quoted:
        return Leaf(text, place, text, "quoted", "text")
    value, looks = _understood(text)
    return Leaf(value, place, text, "plain", looks)


def _understood(text: str) -> tuple[Any, Looks]:
    first = text[:1]
    if first.isdigit() or first in ("-", "+", "."):
        return _number(text) if len(text) <= _NUMBER_LENGTH else (text, "text")
    if _BOOLEAN.fullmatch(text):
        word = text.lower()
        return _WORDS[word], "boolean" if word in ("true", "false") else "word"
    if _NOTHING.fullmatch(text):
        return None, "nothing"
    return text, "text"


def _number(text: str) -> tuple[Any, Looks]:
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", "")), "number"
    if _HEXADECIMAL.fullmatch(text):
        return int(text.replace("_", ""), 0), "number"
    if _OCTAL.fullmatch(text):
        return int(text.replace("_", "").replace("o", ""), 8), "octal"
    if _LEADING_ZERO.fullmatch(text):
        return int(text), "octal"
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", "")), "number"
    if _SPECIAL.fullmatch(text):
        return float(text.lower().replace(".", "")), "number"
    if _CLOCK.fullmatch(text):
        return _seconds(text), "clock"
    if _DATE.fullmatch(text):
        return text, "date"
    return text, "text"


def _seconds(text: str) -> float | int:
    """``1:30`` is 90: base sixty, as YAML 1.1 has it."""
    sign = -1 if text.startswith("-") else 1
    total: float = 0
    for part in text.lstrip("+-").replace("_", "").split(":"):
        total = total * 60 + float(part or 0)
    return sign * (int(total) if total.is_integer() else total)
