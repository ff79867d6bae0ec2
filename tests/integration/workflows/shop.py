"""A shop whose orders are workflows, for the tests."""

from __future__ import annotations

from dataclasses import dataclass

from junctor import Flow, Service, Target, Workflow, handler, query, signal


@dataclass(frozen=True)
class Order:
    id: int
    steps: int = 1


@dataclass(frozen=True)
class Pay:
    id: int
    step: int = 1


@dataclass(frozen=True)
class Paid:
    text: str


@dataclass(frozen=True)
class Refund:
    id: int


@dataclass(frozen=True)
class Approval:
    by: str


@dataclass(frozen=True)
class Receipt:
    text: str


class Bank(Service):
    """Refuses negative orders; notes what it is asked."""

    @handler
    async def pay(self, pay: Pay) -> Paid:
        if pay.id < 0:
            raise ValueError("no money")
        self.state[f"{pay.id}.{pay.step}"] = self.state.get(f"{pay.id}.{pay.step}", 0) + 1
        return Paid(f"{pay.id}.{pay.step}")

    @handler
    async def refund(self, refund: Refund) -> Paid:
        self.state[f"refund.{refund.id}"] = self.state.get(f"refund.{refund.id}", 0) + 1
        return Paid("back")


class Ordering(Workflow):
    """Pays, waits a day, waits for an approval."""

    bank: Target[Pay | Refund, Paid]
    approved: str = ""
    stage: str = "begun"

    @handler(key="id")
    async def run(self, order: Order) -> Receipt:
        paid = await self.bank.request(Pay(order.id))
        self.stage = "paid"
        self.log.info("paid %d", order.id)
        await self.sleep("1d")
        self.stage = "slept"
        if not await self.wait(lambda: self.approved, timeout="3d"):
            await self.bank.request(Refund(order.id))
            return Receipt("refunded")
        return Receipt(f"{paid.text} approved by {self.approved}")

    @signal
    def approve(self, approval: Approval) -> None:
        self.approved = approval.by

    @query
    def status(self) -> str:
        return self.stage


def shop(workflow: type[Workflow] | Workflow = Ordering) -> Flow:
    flow = Flow("shop")
    flow.add(Bank, name="bank")
    flow.add(workflow, name="orders")
    return flow
