"""A package of the family that is not one of ours runs on our classes: real orders in, a real file of counters out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
PATHS = (HERE / "addon", ROOT / "compat" / "pip_services3" / "src", ROOT / "src")

SHOP = """
import csv
import sys
from pip_services3_commons.config import ConfigParams
from pip_services3_commons.refer import Descriptor, References
from pip_services3_commons.run import Closer, Opener
from pip_services3_components.count import CompositeCounters
from pip_services3_components.info import ContextInfo
from pip_services3_components.log import ConsoleLogger
from pip_services3_textfile.build import DefaultTextFileFactory

where = Descriptor("pip-services", "counters", "textfile", "default", "1.0")
added = DefaultTextFileFactory().create(where)
info, logger = ContextInfo(), ConsoleLogger()
info.configure(ConfigParams.from_tuples("name", "shop"))
logger.configure(ConfigParams.from_tuples("level", "debug"))
added.configure(ConfigParams.from_value({"path": sys.argv[2]} if len(sys.argv) > 2 else {}))
references = References.from_tuples(
    Descriptor("pip-services", "context-info", "default", "default", "1.0"), info,
    Descriptor("pip-services", "logger", "console", "default", "1.0"), logger,
    where, added,
)
added.set_references(references)
Opener.open("shop", [added])
counters = CompositeCounters(references)
with open(sys.argv[1]) as orders:
    for order in csv.DictReader(orders):
        counters.increment("orders." + order["item"], int(order["amount"]))
        counters.last("orders.price", float(order["price"]))
Closer.close("shop", [added])
print("open:", added.is_open())
"""


def shop(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(path) for path in PATHS)}
    command = [sys.executable, "-c", SHOP, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, env=environment)


def test_an_add_on_does_its_work(tmp_path: Path) -> None:
    orders, counted = tmp_path / "orders.csv", tmp_path / "shop.prom"
    orders.write_text("item,amount,price\nrope,3,2.5\nlamp,1,9.0\nrope,4,2.25\n")
    done = shop(str(orders), str(counted))
    assert done.returncode == 0, done.stderr
    assert counted.read_text() == (
        'orders_lamp{source="shop"} 1\norders_price{source="shop"} 2.25\norders_rope{source="shop"} 7\n'
    )
    logged, opened = done.stdout.splitlines()
    assert logged.startswith("[counters:DEBUG:") and logged.endswith("] Saved 3 counters")
    assert opened == "open: False"


def test_its_errors_are_the_familys(tmp_path: Path) -> None:
    refused = shop(str(tmp_path / "orders.csv"))
    assert refused.returncode == 1
    assert "ConfigException: The path of the counters is not set" in refused.stderr
