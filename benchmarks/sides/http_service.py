"""The same job as a user of Junctor writes it, with the default store. Run as a script."""

from dataclasses import dataclass

from junctor import Service, get, run


@dataclass
class Square:
    n: int
    square: int


class Squares(Service):
    @get("/square")
    async def square(self, n: int) -> Square:
        return Square(n, n * n)


if __name__ == "__main__":
    run(Squares())
