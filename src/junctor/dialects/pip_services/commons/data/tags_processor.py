"""Tags of texts: words by which things are found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from junctor.dialects.pip_services.commons.convert import ArrayConverter, MapConverter

_MARKS = re.compile(r"[_#]+")
_MARKS_AND_SPACES = re.compile(r"[ _#]+")
_BETWEEN = re.compile(r"[,;]+")
_HASHTAG = re.compile(r"#\w+")


class TagsProcessor:
    """A normal tag has spaces for ``_`` and ``#``; a compressed one has neither, and is in lower case."""

    @staticmethod
    def normalize_tag(tag: str | None) -> str | None:
        return None if tag is None else _MARKS.sub(" ", tag).strip()

    @staticmethod
    def compress_tag(tag: str | None) -> str | None:
        return None if tag is None else _MARKS_AND_SPACES.sub("", tag).lower()

    @staticmethod
    def equal_tags(tag1: str | None, tag2: str | None) -> bool:
        return TagsProcessor.compress_tag(tag1) == TagsProcessor.compress_tag(tag2)

    @staticmethod
    def normalize_tags(tags: Iterable[str]) -> list[str | None]:
        return [TagsProcessor.normalize_tag(tag) for tag in tags]

    @staticmethod
    def normalize_tag_list(tag_list: str) -> list[str | None]:
        """From tags in one text, with commas or semicolons between."""
        return TagsProcessor.normalize_tags(_BETWEEN.split(tag_list))

    @staticmethod
    def compress_tags(tags: Iterable[str]) -> list[str | None]:
        return [TagsProcessor.compress_tag(tag) for tag in tags]

    @staticmethod
    def compress_tag_list(tag_list: str) -> list[str | None]:
        return TagsProcessor.compress_tags(_BETWEEN.split(tag_list))

    @staticmethod
    def extract_hash_tags(text: str | None) -> list[str]:
        """The ``#tags`` of a text, compressed, each once."""
        return list(dict.fromkeys(_compressed(_HASHTAG.findall(text or ""))))

    @staticmethod
    def extract_hash_tags_from_value(obj: Any, *search_fields: str) -> list[str]:
        """Those of an object: its field ``tags``, and the ``#tags`` in the texts of the fields named."""
        fields = MapConverter.to_map(obj)
        found = list(_compressed(ArrayConverter.to_array(fields.get("tags"))))
        for name in search_fields:
            for text in _texts(fields.get(name)):
                found += TagsProcessor.extract_hash_tags(text)
        return list(dict.fromkeys(found))


def _compressed(tags: Iterable[Any]) -> Iterator[str]:
    return (TagsProcessor.compress_tag(str(tag)) or "" for tag in tags)


def _texts(value: Any) -> Iterator[str]:
    """A text, or all texts of a mapping or list (a text in several languages is a mapping)."""
    if isinstance(value, str):
        yield value
    elif value is not None:
        for each in MapConverter.to_map(value).values():
            yield from _texts(each)
