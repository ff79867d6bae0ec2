"""A service of Service Factory, as its users write it. Run as a script."""

import os
import time

from junctor.dialects.servicefactory import Service


@Service.API.endpoint(port=int(os.environ["PORT"]))
class Echo(Service.base):
    def loop(self):
        time.sleep(1)

    @Service.API.handle("action")
    def echo(self, data):
        return data


if __name__ == "__main__":
    Echo().run()
