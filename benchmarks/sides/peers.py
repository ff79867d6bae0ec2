"""The same job in systems that people compare: a task with a small text, accepted durably, then run once.

All keep their queue on this machine's disk and sync it before a producer goes on: SQLite with ``synchronous=FULL``,
Redis with ``appendfsync always``. One worker each, in the producers' process, no results kept; the rate counts from the
first send to the last run. What polls, polls every 10 ms.
"""

from __future__ import annotations

import logging
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.bodies import SAMPLE

POLL = 0.01


class Ran:
    """How many jobs have run. Only the one worker counts."""

    count = 0

    def once(self) -> None:
        self.count += 1


def _rate(send: Callable[[str], object], ran: Ran, jobs: int, producers: int) -> dict[str, float]:
    """Jobs a second, after a short warm-up."""

    def produce(count: int) -> None:
        for _ in range(count):
            send(SAMPLE.text)

    with ThreadPoolExecutor(producers) as threads:
        for each in (max(1, jobs // producers // 10), jobs // producers):
            before, begin = ran.count, time.perf_counter()
            list(threads.map(produce, [each] * producers))
            while ran.count - before < each * producers:
                time.sleep(0.001)
            seconds = time.perf_counter() - begin
    return {"rate": each * producers / seconds}


@contextmanager
def started_dbos(folder: str) -> Iterator[Any]:
    """DBOS with its system database in SQLite, to be launched by who uses it."""
    from dbos import DBOS

    logging.disable(logging.WARNING)
    address = f"sqlite:///{Path(folder) / 'dbos.db'}"
    DBOS(config={"name": "bench", "system_database_url": address, "run_admin_server": False, "log_level": "ERROR"})
    try:
        yield DBOS
    finally:
        DBOS.destroy()


def dbos(params: Mapping[str, Any]) -> dict[str, float]:
    """DBOS: a workflow on a queue."""
    ran = Ran()
    with started_dbos(params["folder"]) as DBOS:

        @DBOS.workflow()
        def job(text: str) -> None:
            ran.once()

        DBOS.launch()
        queue = DBOS.register_queue("jobs", polling_interval_sec=POLL)
        return _rate(lambda text: queue.enqueue(job, text), ran, params["jobs"], params["producers"])


def huey(params: Mapping[str, Any]) -> dict[str, float]:
    """Huey with its SQLite storage, told to sync."""
    from huey import SqliteHuey

    store = SqliteHuey(filename=str(Path(params["folder"]) / "huey.db"), fsync=True, results=False)
    ran = Ran()

    @store.task()
    def job(text: str) -> None:
        ran.once()

    consumer = store.create_consumer(workers=1, worker_type="thread", initial_delay=POLL, max_delay=POLL, backoff=1.0)
    consumer.start()
    try:
        return _rate(job, ran, params["jobs"], params["producers"])
    finally:
        consumer.stop(graceful=True)


def celery(params: Mapping[str, Any]) -> dict[str, float]:
    """Celery over Redis, acknowledged after the task."""
    from celery import Celery
    from celery.contrib.testing.worker import start_worker

    ran = Ran()
    with _redis(Path(params["folder"])) as address:
        app = Celery("bench", broker=address)
        app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=64)

        @app.task
        def job(text: str) -> None:
            ran.once()

        with start_worker(app, pool="solo", perform_ping_check=False, loglevel="error"):
            return _rate(job.delay, ran, params["jobs"], params["producers"])


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    server = shutil.which("redis-server")
    if server is None:
        raise RuntimeError("redis-server is not installed: apt-get install redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"port": str(port), "bind": "127.0.0.1", "dir": str(folder), "appendonly": "yes", "appendfsync": "always"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    process = subprocess.Popen([server, *words, "--save", "", "--logfile", str(folder / "redis.log")])
    try:
        _answers(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.02)
