"""The yardstick of HTTP: a bare Starlette route that reads, checks and answers with msgspec. Run as a script."""

import os

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class Query(msgspec.Struct):
    n: int


class Square(msgspec.Struct):
    n: int
    square: int


encode = msgspec.json.Encoder().encode


async def square(request: Request) -> Response:
    try:
        query = msgspec.convert(dict(request.query_params), Query, strict=False)
    except msgspec.ValidationError as error:
        return Response(encode({"detail": str(error)}), 422, media_type="application/json")
    return Response(encode(Square(query.n, query.n * query.n)), media_type="application/json")


if __name__ == "__main__":
    app = Starlette(routes=[Route("/square", square)])
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
