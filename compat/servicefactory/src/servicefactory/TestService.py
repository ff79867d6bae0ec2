"""
Minimalistic example showing basic Service creation.
"""

import sys
import time

from servicefactory import Service


@Service.API.endpoint(port=1234)
class Test(Service.base):
    def loop(self):
        self.log("looping...")
        time.sleep(5)

    def finalize(self):
        self.log("finalizing...")

    @Service.API.handle("action")
    def handle_action(self, data):
        sys.stdout.write(f"handling action...\n{data}\n")


if __name__ == "__main__":
    Test().run()
