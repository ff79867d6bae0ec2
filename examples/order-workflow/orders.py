"""Orders that take days: paid, approved, reserved, sent; and undone where one of these fails. The services of
examples/order-workflow/flow.yaml."""

from dataclasses import dataclass

from junctor import Service, Target, Workflow, handler, query, setting, signal
from junctor.errors import RequestFailed


@dataclass(frozen=True)
class Order:
    number: str
    item: str
    amount: int
    price: int


@dataclass(frozen=True)
class Closed:
    """How an order ended: sent, not paid, not approved, sold out, recalled, failed."""

    number: str
    how: str


@dataclass(frozen=True)
class Pay:
    order: str
    price: int


@dataclass(frozen=True)
class GiveBack:
    order: str


@dataclass(frozen=True)
class Booked:
    """The answer of a partner. Not booked is an answer too: only what nobody expected is an exception."""

    done: bool
    text: str = ""


@dataclass(frozen=True)
class Reserve:
    order: str
    item: str
    amount: int


@dataclass(frozen=True)
class Release:
    order: str


@dataclass(frozen=True)
class Parcel:
    order: str
    item: str
    amount: int


@dataclass(frozen=True)
class Approval:
    by: str


@dataclass(frozen=True)
class Recall:
    reason: str


class Orders(Workflow):
    """One run for each order. Where it cannot come to its end, what it did is undone in reverse order."""

    bank: Target[Pay | GiveBack, Booked]
    stock: Target[Reserve | Release, Booked]
    parcels: Target[Parcel]

    limit: int = setting(500, doc="Above this price somebody has to approve")
    patience: str = setting("3d", doc="How long an approval is waited for")
    second_thoughts: str = setting("1d", doc="How long an order can be recalled before it is sent")

    stage: str = "new"
    approved: str = ""
    recalled: str = ""

    @handler(key="number")
    async def on_order(self, order: Order) -> Closed:
        undo: list[GiveBack | Release] = []
        try:
            how = await self.fulfil(order, undo)
        except RequestFailed as error:
            self.log.warning("order %s failed while %s: %s", order.number, self.stage, error)
            how = "failed"
        if how != "sent":
            await self.take_back(undo)
        self.stage = how
        return Closed(order.number, how)

    async def fulfil(self, order: Order, undo: list[GiveBack | Release]) -> str:
        """How it ended; ``undo`` gets what takes its steps back."""
        self.stage = "paying"
        paid = await self.bank.request(Pay(order.number, order.price))
        if not paid.done:
            return "not paid"
        undo.append(GiveBack(order.number))
        if order.price > self.limit and not await self.is_approved():
            return "not approved"
        self.stage = "reserving"
        reserved = await self.stock.request(Reserve(order.number, order.item, order.amount))
        if not reserved.done:
            return "sold out"
        undo.append(Release(order.number))
        self.stage = "waiting"
        if await self.wait(lambda: self.recalled, timeout=self.second_thoughts):
            return "recalled"
        await self.parcels.send(Parcel(order.number, order.item, order.amount))
        return "sent"

    async def is_approved(self) -> bool:
        self.stage = "to be approved"
        return await self.wait(lambda: self.approved or self.recalled, timeout=self.patience) and not self.recalled

    async def take_back(self, undo: list[GiveBack | Release]) -> None:
        """The last first. A node that dies in the midst of this goes on where it was."""
        self.stage = "taking back"
        for each in reversed(undo):
            if isinstance(each, Release):
                await self.stock.request(each)
            else:
                await self.bank.request(each)

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by

    @signal
    def recall(self, recall: Recall) -> None:
        self.recalled = recall.reason

    @query
    def status(self) -> str:
        return self.stage


class Bank(Service):
    """Plays the bank. What it books is in its state, under the number of the order."""

    @handler
    async def on_pay(self, pay: Pay) -> Booked:
        if pay.price <= 0:
            return Booked(False, f"{pay.price} cannot be paid")
        account = self.state.of(pay.order)
        account["paid"] = account.get("paid", 0) + pay.price
        return Booked(True)

    @handler
    async def on_give_back(self, back: GiveBack) -> Booked:
        account = self.state.of(back.order)
        account["given back"] = account.get("given back", 0) + account.get("paid", 0)
        return Booked(True)


class Stock(Service):
    """Plays the stock: so many pieces of each item. One handler at a time, so that nobody counts beside it."""

    pieces: int = setting(10, doc="How many there are of each item")

    @handler
    async def on_reserve(self, reserve: Reserve) -> Booked:
        left = self.state.get(reserve.item, self.pieces)
        if left < reserve.amount:
            return Booked(False, f"{left} of {reserve.item} are left")
        self.state[reserve.item] = left - reserve.amount
        self.state[f"order {reserve.order}"] = [reserve.item, reserve.amount]
        return Booked(True)

    @handler
    async def on_release(self, release: Release) -> Booked:
        item, amount = self.state.pop(f"order {release.order}")
        self.state[item] += amount
        return Booked(True)


class Parcels(Service):
    """Plays the post."""

    @handler
    async def on_parcel(self, parcel: Parcel) -> None:
        account = self.state.of(parcel.order)
        account["parcels"] = account.get("parcels", 0) + 1
        self.log.info("%d %s of order %s are on their way", parcel.amount, parcel.item, parcel.order)
