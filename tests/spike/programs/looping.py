"""
Minimalistic example showing basic Service creation.
"""

import time

from tests.spike.dialects.servicefactory import Service

SEEN: list[object] = []


@Service.API.endpoint(port=1234)
class Test(Service.base):
    __test__ = False  # for pytest, not a part of the page

    def __init__(self):
        self.greeted = []

    def loop(self):
        self.log("looping...")
        time.sleep(0.05)

    def finalize(self):
        self.log("finalizing...")
        SEEN.append("finalizing...")

    @Service.API.handle("action")
    def handle_action(self, data):
        print("handling action...")
        SEEN.append(data)
        Audit.perform("record", "hello world")
        self.greeted.append(Service.named("hello-world").perform("farewell", "Xtof").text)
        SEEN.append(self.greeted[-1])


class Audit(Service.base):
    def loop(self):
        time.sleep(0.05)

    @Service.API.handle("record")
    def record(self, data):
        SEEN.append(("record", data))
        return data.decode()
