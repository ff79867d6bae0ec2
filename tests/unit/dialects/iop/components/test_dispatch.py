"""Which method takes a message: marks, the table, annotations, exact types, and what is questionable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pydantic
import pytest

from junctor.dialects.iop import BusinessOperation, BusinessProcess, BusinessService, Message, handler
from junctor.dialects.iop.components import accepted_by, dispatch_of, doubts


@dataclass
class Order(Message):
    number: int = 0


@dataclass
class Urgent(Order):
    pass


class Model(pydantic.BaseModel):
    pass


def methods(cls: type, *messages: Any) -> list[str]:
    return [dispatch_of(cls).method_for(message) for message in messages]


class Typed(BusinessOperation):
    def on_order(self, order: Order) -> None: ...

    def on_model(self, model: Model) -> None: ...

    def two(self, order: Urgent, other: int = 0) -> None: ...

    def number(self, number: int) -> None: ...

    def untyped(self, anything) -> None: ...  # type: ignore[no-untyped-def]

    def _private(self, order: Urgent) -> None: ...

    @staticmethod
    def fixed(order: Urgent) -> None: ...

    def on_message(self, request: Any) -> None: ...


def test_methods_with_one_typed_parameter_take_exactly_that_type() -> None:
    assert methods(Typed, Order(), Model(), Urgent(), None) == ["on_order", "on_model", "on_message", "on_message"]
    assert dispatch_of(Typed).warnings == ()


def test_a_mark_goes_before_the_table_and_annotations() -> None:
    class Marked(BusinessOperation):
        DISPATCH = [(f"{__name__}.Order", "by_table")]

        @handler(Order)
        def by_mark(self, order): ...  # type: ignore[no-untyped-def]

        def by_type(self, order: Order) -> None: ...

        def by_table(self, order): ...  # type: ignore[no-untyped-def]

        @handler(f"{__name__}.Urgent", "iris.Ens.StringRequest")
        def by_name(self, order): ...  # type: ignore[no-untyped-def]

    assert methods(Marked, Order(), Urgent()) == ["by_mark", "by_name"]
    keys = {entry.key: entry.accepts for entry in dispatch_of(Marked).entries}
    assert keys == {f"{__name__}.Order": Order, f"{__name__}.Urgent": Urgent, "Ens.StringRequest": None}


def test_of_two_for_one_type_the_later_one_wins_and_it_is_told() -> None:
    class Twice(BusinessProcess):
        def first(self, order: Order) -> None: ...

        def second(self, order: Order) -> None: ...

    assert methods(Twice, Order()) == ["second"]
    (warning,) = dispatch_of(Twice).warnings
    assert warning.endswith(f"Twice: first and second both take {__name__}.Order; second, which comes later, gets it")
    assert doubts(Twice) == [warning]


def test_two_marks_for_one_type() -> None:
    class Twice(BusinessOperation):
        @handler(Order)
        def first(self, order: Order) -> None: ...

        @handler(Order)
        def second(self, order: Order) -> None: ...

    assert methods(Twice, Order()) == ["second"]
    assert len(dispatch_of(Twice).warnings) == 1


def test_a_derived_class_takes_over_without_a_word_where_it_overrides() -> None:
    class Derived(Typed):
        def on_order(self, order: Order) -> None: ...

    class Another(Typed):
        def later(self, order: Order) -> None: ...

    assert methods(Derived, Order()) == ["on_order"]
    assert dispatch_of(Derived).warnings == ()
    assert methods(Another, Order()) == ["later"]


def test_a_table_with_a_method_that_is_not_there() -> None:
    class Wrong(BusinessOperation):
        DISPATCH = [("msg.Order", "nowhere")]

    assert dispatch_of(Wrong).entries == ()
    assert dispatch_of(Wrong).warnings[0].endswith("Wrong.DISPATCH: there is no method nowhere")


def test_an_annotation_that_cannot_be_resolved_means_any_message() -> None:
    class Unknown(BusinessOperation):
        def on_message(self, request: MyRequest) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    class Alone(BusinessOperation):
        def work(self, request: MyRequest) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    class Beside(Alone):
        def on_message(self, request: Any) -> None: ...

    class Service(BusinessService):
        def on_process_input(self, message_input: MyRequest) -> None: ...  # type: ignore[name-defined]  # noqa: F821

        def other(self, x: MyRequest) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert methods(Unknown, Order()) == ["on_message"]
    assert methods(Alone, Order()) == ["work"]
    assert methods(Beside, Order()) == ["on_message"]
    told = [dispatch_of(cls).warnings[0] for cls in (Unknown, Alone, Beside, Service)]
    assert all("there is no MyRequest where it is written" in text for text in told)
    assert ["it takes any message" in text for text in told] == [True, True, False, True]
    assert len(dispatch_of(Service).warnings) == 1


def test_what_a_base_of_another_library_says_is_not_looked_at() -> None:
    class Library:
        def read(self, path: PathOfTheirs) -> None: ...  # type: ignore[name-defined]  # noqa: F821

        def on_order(self, order: Order) -> None: ...

    class Mixed(BusinessOperation, Library):
        pass

    assert dispatch_of(Mixed).warnings == ()
    assert methods(Mixed, Order(), Late()) == ["on_order", "on_message"]


def test_a_class_that_is_defined_later_is_found() -> None:
    assert methods(Early, Late()) == ["on_late"]
    assert accepted_by(Early, "on_message") is Late
    assert dispatch_of(Early).accepts is Late


class Early(BusinessOperation):
    def on_late(self, late: Late) -> None: ...

    def on_message(self, late: Late) -> None: ...


@dataclass
class Late(Message):
    pass


def test_the_type_that_a_method_takes() -> None:
    class Service(BusinessService):
        def on_process_input(self, message_input: Order) -> None: ...

    class Bare(BusinessService):
        def on_process_input(self) -> None: ...

    assert accepted_by(Service, "on_process_input") is Order
    assert accepted_by(Bare, "on_process_input") is None
    assert accepted_by(BusinessService, "nowhere") is None


@pytest.mark.parametrize("wrong", [int, Message, Order(), 5])
def test_a_mark_takes_classes_of_messages_or_names(wrong: Any) -> None:
    with pytest.raises(TypeError, match="@handler takes message classes or their names"):
        handler(wrong)


def test_a_mark_without_a_type() -> None:
    with pytest.raises(TypeError, match=r"@handler needs a message class"):
        handler()
    with pytest.raises(TypeError, match="@handler takes"):
        handler(lambda self, request: None)  # type: ignore[arg-type]
