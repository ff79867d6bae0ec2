"""The names that programs import: all are there, loaded when they are used, and pydantic only for its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from junctor.dialects import iop

UPSTREAM = """
BusinessOperation BusinessProcess BusinessService Category ComponentItem ComponentRef Director DirectorProtocol
DuplexOperation DuplexProcess DuplexService Field InboundAdapter Message Model OperationItem OutboundAdapter
PersistentMessage PickleMessage PollingBusinessService ProcessItem Production ProductionApplyResult ProductionChangePlan
ProductionDiff ProductionDiffEntry ProductionGraph ProductionPlanOperation ProductionVerifyResult
ProductionValidationError ProductionValidationIssue ProductionValidationReport ProductionValidationWarning
PydanticMessage PydanticPickleMessage Route ServiceItem Setting TargetSetting TargetSettingRef Utils bind_component
controls handler list_bindings register_component setting target unbind_component unregister_component
""".split()


@pytest.mark.parametrize("name", sorted({*UPSTREAM, *iop.__all__}))
def test_every_name_is_there_and_listed(name: str) -> None:
    assert getattr(iop, name) is not None
    assert name in iop.__all__
    assert name in dir(iop)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'junctor.dialects.iop' has no attribute 'Nothing'"):
        _ = iop.Nothing


WITHOUT_PYDANTIC = """
import sys
sys.modules["pydantic"] = None
from dataclasses import dataclass
from junctor.dialects.iop import BusinessOperation, BusinessProcess, Message, Production, handler, setting
from junctor.dialects.iop.messages import checked
from junctor.messages import TypeRegistry

@dataclass
class Order(Message):
    number: int = 0

class Ledger(BusinessOperation):
    def on_order(self, order: Order): ...

kind = TypeRegistry().register(Order)
assert kind.decode(kind.encode(checked(Order(1)))) == Order(1)
try:
    from junctor.dialects.iop import PydanticMessage
except Exception as error:
    print(type(error).__name__, error)
"""


def test_only_messages_of_pydantic_need_pydantic() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_PYDANTIC], capture_output=True, text=True, timeout=30)
    assert done.stdout == "MissingExtra PydanticMessage needs pydantic. Install it: pip install pydantic.\n", (
        done.stderr
    )
