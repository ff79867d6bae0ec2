"""Messages into other messages, without code."""

from __future__ import annotations

from typing import Any, Literal

from junctor.adapters.base import Adapter
from junctor.adapters.records import Fields, checked_fields, filled, reader_of
from junctor.core.expressions import Expression, Variables, of_message
from junctor.errors import ExpressionFailed, SettingError
from junctor.messages import Kind
from junctor.services import Target, handler
from junctor.settings import setting

_SEEN = ("body", "headers", "key", "type", "message", "now")


class Mapping(Adapter):
    """Makes messages of others, by expressions.

    Fields are renamed, computed, left out; messages are dropped, or split into one for each element of a list. A
    request is answered with what the receiver at ``out`` answers, or with the new body where ``out`` is not connected::

        invoice:
          adapter: mapping
          settings:
            when: body.price > 0
            fields: {number: body.id, total: body.price * body.count, buyer.name: body.customer}
          connect: {out: accounts}
    """

    out: Target[Any] | None
    fields: Fields = setting({}, doc="Fields of the new body, as expressions: total: body.price * 2.0")
    rest: Literal["drop", "keep"] = setting("drop", doc="What becomes of the fields that fields does not name")
    remove: list[str] = setting([], doc="Fields that are left out of what is kept")
    when: Expression | None = setting(None, doc="Messages for which this is false are dropped")
    each: Expression | None = setting(None, doc="A list: a message is made for each element, which is body then")
    type: str = setting("", doc="Name of the type that is sent, where the receiver takes several")

    def check_settings(self) -> None:
        super().check_settings()
        checked_fields(self.fields, "fields", *_SEEN)
        for name in ("when", "each"):
            if (one := getattr(self, name)) is not None:
                checked_fields({name: one}, name, *_SEEN)
        if self.remove and self.rest == "drop":
            raise SettingError("there is nothing to remove from", where="remove", fix="Add rest: keep.")

    def on_start(self) -> None:
        if self.out is not None:
            reader_of(self.out, self.type)  # says what is wrong with the type before anything comes

    @handler
    async def map(self, body: Any) -> Any:
        """Make the new message of a body and send it on."""
        variables = of_message(self.message, body)
        if self.when is not None and not self.when.holds(variables):
            self.count("dropped")
            return None
        made = [self._mapped(one) for one in self._elements(variables)]
        answers = [await self._passed_on(one) for one in made]
        return answers if self.each is not None else answers[0]

    def _elements(self, variables: Variables) -> list[Variables]:
        if self.each is None:
            return [variables]
        elements = self.each.value(variables)
        if not isinstance(elements, list):
            raise ExpressionFailed(f"`{self.each}` is {type(elements).__name__}, not a list")
        return [of_message(self.message, one) for one in elements]

    def _mapped(self, variables: Variables) -> Any:
        if self.rest == "drop":
            return filled(self.fields, variables)
        body = variables.of(["body"])["body"]
        if not isinstance(body, dict):
            raise ExpressionFailed(f"the body is {type(body).__name__}, and only an object has fields to keep")
        kept = {name: value for name, value in body.items() if name not in self.remove}
        return filled(self.fields, variables, kept)

    async def _passed_on(self, body: Any) -> Any:
        if self.out is None:
            return body
        read = reader_of(self.out, self.type)(body)
        if self.message.kind is Kind.REQUEST:
            return await self.out.request(read)
        return await self.out.send(read)
