"""Runs services of :mod:`msb_services` as a node, until it is stopped. Run as a script."""

import json
import sys

from benchmarks.sides.msb import flow_of
from junctor import run

if __name__ == "__main__":
    params = json.loads(sys.argv[1])
    run(flow_of(params["services"], params["properties"]))
