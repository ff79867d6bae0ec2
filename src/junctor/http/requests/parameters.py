"""Marks that say where a parameter of a route comes from, for use in ``Annotated``.

Without a mark the type decides: names in the path, files for :class:`Upload`, then a body for classes with fields,
``dict`` and lists of such, and the query for everything else.
"""

from __future__ import annotations

import msgspec


class Query(msgspec.Struct, frozen=True):
    """``Annotated[int, Query("page-size")]``: from the query, under another name than the parameter's."""

    name: str = ""


class Header(msgspec.Struct, frozen=True):
    """``Annotated[str, Header("x-api-key")]``: from a header; without a name the parameter's, with ``-`` for ``_``."""

    name: str = ""


class Cookie(msgspec.Struct, frozen=True):
    """``Annotated[str, Cookie("sid")]``: from a cookie; without a name the parameter's."""

    name: str = ""


class Form(msgspec.Struct, frozen=True):
    """``Annotated[str, Form()]``: a field of a form, ``application/x-www-form-urlencoded`` or ``multipart/form-data``.

    On a class with fields, each of its fields is one of the form.
    """

    name: str = ""


class Body(msgspec.Struct, frozen=True):
    """``Annotated[list[int], Body()]``: from the JSON body, whatever the type."""


MARKS = (Query, Header, Cookie, Form, Body)
