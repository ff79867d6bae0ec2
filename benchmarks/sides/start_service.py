"""A one-service flow as a user writes it: a route, a handler, the default store. Run as a script."""

from benchmarks.bodies import Ping, Pong
from junctor import Service, get, handler, run


class Hello(Service):
    @handler
    async def on(self, body: Ping) -> Pong:
        return Pong(body.n)

    @get("/hello")
    async def hello(self) -> str:
        return "hello"


if __name__ == "__main__":
    run(Hello())
