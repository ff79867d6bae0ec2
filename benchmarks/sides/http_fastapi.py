"""The same job in FastAPI, as its documentation teaches it. Run as a script."""

import os

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Square(BaseModel):
    n: int
    square: int


@app.get("/square")
async def square(n: int) -> Square:
    return Square(n=n, square=n * n)


if __name__ == "__main__":
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
