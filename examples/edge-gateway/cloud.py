"""The cloud: counts what comes from the gateway, and says what it wants of it.

python cloud.py            prints alarms, and how many readings came, how many are missing
python cloud.py stop       wants the custom services of the gateway stopped; start: started
"""

import json
import sys
import time
from collections import defaultdict

from paho.mqtt.client import CallbackAPIVersion, Client, MQTTMessage

PORT = 18830
WANTED = {"stop": {"enabled": False}, "start": {"enabled": True}}


class Ledger:
    """The numbers of readings by the run of the service that counts them, in the order in which they came."""

    def __init__(self) -> None:
        self.runs: dict[float, list[int]] = defaultdict(list)

    def hear(self, message: MQTTMessage) -> None:
        body = json.loads(message.payload)
        if "number" in body:
            self.runs[body["run"]].append(body["number"])
        else:
            print(message.topic, message.payload.decode(), flush=True)

    def __str__(self) -> str:
        firsts = [list(dict.fromkeys(numbers)) for numbers in self.runs.values()]
        came = sum(map(len, firsts))
        missing = sum(max(first) - len(first) for first in firsts)
        twice = sum(map(len, self.runs.values())) - came
        order = "in order" if all(first == sorted(first) for first in firsts) else "not in order"
        return f"{came} readings, {missing} missing, {twice} twice, {order}"


def connected() -> Client:
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", PORT)
    client.loop_start()
    return client


def listen() -> None:
    ledger, client = Ledger(), connected()
    client.on_message = lambda client, data, message: ledger.hear(message)
    client.subscribe([("edge/#", 1), ("edge-1/reported", 1)])
    while True:
        time.sleep(1)
        print(ledger, flush=True)


def want(state: dict[str, bool]) -> None:
    """The desired state is retained: the gateway gets it when it connects."""
    client = connected()
    client.publish("edge-1/desired", json.dumps({"msb-state": state}), qos=1, retain=True).wait_for_publish(10)
    client.disconnect()
    client.loop_stop()


if __name__ == "__main__":
    if words := sys.argv[1:]:
        want(WANTED[words[0]])
    else:
        listen()
