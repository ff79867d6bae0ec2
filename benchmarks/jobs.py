"""The one table of jobs: what is measured, against what, and what it should reach."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from benchmarks.job import SIDES, Compare, Figure, Job, Side
from benchmarks.job import side as _side
from benchmarks.jobs_of_microservicebus import jobs as _msb_jobs


def _load(callers: int, seconds: float = 1.5, chunk: int = 20) -> dict[str, Any]:
    return {"load": {"callers": callers, "seconds": seconds, "chunk": chunk}}


def _rate_job(name: str, does: str, aim: float, callers: int, chunk: int, bare: Side, engine: Side) -> Job:
    figure = Figure("rate", "/s", Compare.AT_LEAST_RATIO, aim)
    params, quick = _load(callers, 1.5, chunk), _load(callers, 0.5, chunk)
    return Job(name, does, (figure,), bare, (engine,), params, quick)


_MAILBOX = _side("deque mailbox", "request_bare:mailbox")
_REQUEST = _side("flow, memory", "request_engine:request")
_HOP = _side("thread-pool hop", "blocking_bare:thread_hop")
_BLOCKING = _side("flow, memory", "request_engine:blocking")
_WRITER = _side("apsw group commit", "durable_bare:group_commit")
_SEND = _side("flow, sqlite", "durable_engine:send")
_STARLETTE = _side("Starlette, msgspec", "http_get:starlette")
_FASTAPI = _side("FastAPI", "http_get:fastapi")
_ROUTE = _side("node", "http_get:node")
_AIOHTTP = _side("aiohttp", "http_out:bare")
_HTTP_OUT = _side("http-out, memory", "http_out:requests")
_DBOS = _side("DBOS on SQLite", "workflow:dbos")
_COMMITS = _side("six bare commits", "workflow:commits")
_WORKFLOW = _side("flow, sqlite", "workflow:junctor")
_HOPS = _side("commits, thread hop", "iop:commits")
_PROCESS = _side("iop process, sqlite", "iop:process")
_WERKZEUG = _side("Werkzeug, as the original", "factory:werkzeug")
_FACTORY = _side("node", "factory:junctor")
_PIP = _side("Pip.Services itself", "pip_services:original")
_QUICKSTART = _side("node", "pip_services:junctor")
_SEARCHES = ("session_ms", "type_ms", "rare_ms", "error_ms")


def _process_job(conversations: int, aim: float, calls: int) -> Job:
    does = f"a business process that calls an operation and waits, conversations at once: {conversations}"
    figure = Figure("rate", "/s", Compare.AT_LEAST_RATIO, aim)
    params = {"conversations": conversations, "calls": calls}
    return Job(f"iop-{conversations}", does, (figure,), _HOPS, (_PROCESS,), params, {"calls": calls // 3})


def _pip_job(connections: int, aim: float, *more: Figure) -> Job:
    """The original cannot be installed beside ours: ``prepare`` makes an environment for it."""
    does = f"the quickstart of Pip.Services: a greeting, connections: {connections}"
    figures = (Figure("rate", "/s", Compare.AT_LEAST_RATIO, aim), *more)
    params, quick = _load(connections, 3.0, 1), _load(connections, 1.0, 1)
    prepare = SIDES + "pip_services:prepare"
    return Job(f"pip-{connections}", does, figures, _PIP, (_QUICKSTART,), params, quick, prepare, max_rounds=5)


def _mqtt_job(name: str, against: str, bare: str) -> Job:
    return Job(
        name,
        f"a backlog at Mosquitto, each message durably processed, against {against}",
        (Figure("rate", "/s", Compare.AT_LEAST_RATIO, 0.5),),
        bare=_side(against, f"mqtt_in:{bare}"),
        engines=(_side("mqtt-in, sqlite", "mqtt_in:adapter"),),
        params={"messages": 20_000, "receive": 200},
        quick={"messages": 5_000},
        max_rounds=5,
    )


def _peer_job(name: str, does: str, aim: float, jobs: int) -> Job:
    """The same number of producers on both sides; a peer gets so many jobs as it does in some seconds."""
    params = {**_load(16, 1.5, 10), "producers": 16, "jobs": jobs}
    figure = Figure("rate", "/s", Compare.AT_LEAST_RATIO, aim)
    side, system = _side(does, f"peers:{name}"), f"durable send to processed, 16 producers, against {does}"
    return Job(f"peer-{name}", system, (figure,), side, (_SEND,), params, {"jobs": jobs // 4}, max_rounds=3)


_ALL = (
    _rate_job("request-1", "request in memory, 1 caller", 0.5, 1, 100, _MAILBOX, _REQUEST),
    _rate_job("request-64", "request in memory, 64 callers", 0.3, 64, 100, _MAILBOX, _REQUEST),
    _rate_job("blocking-1", "blocking handler, 1 caller", 0.7, 1, 20, _HOP, _BLOCKING),
    _rate_job("blocking-16", "blocking handler, 16 callers", 0.7, 16, 20, _HOP, _BLOCKING),
    _rate_job("durable-64", "durable send to processed, 64 producers", 0.5, 64, 10, _WRITER, _SEND),
    _rate_job("durable-1", "durable send to processed, 1 producer", 0.6, 1, 10, _WRITER, _SEND),
    _rate_job("http-get", "HTTP GET with a typed query parameter, 64 connections", 0.85, 64, 1, _STARLETTE, _ROUTE),
    _rate_job("http-get-fastapi", "the same job against FastAPI", 1.8, 64, 1, _FASTAPI, _ROUTE),
    _rate_job(
        "pipeline",
        "three durable hops, every hop recorded, against the same unrecorded",
        0.85,
        64,
        10,
        _side("flow, trace: off", "pipeline:unrecorded"),
        _side("flow, trace: all", "pipeline:recorded"),
    ),
    _rate_job(
        "isolation",
        "a handler that computes, in two worker processes against two threads",
        1.5,
        4,
        1,
        _side("flow, threads", "isolation:threads"),
        _side("flow, workers", "isolation:processes"),
    ),
    Job(
        "search",
        "questions to a store of 1 M messages, 95th percentile",
        tuple(Figure(name, "ms", Compare.BELOW, 50.0) for name in _SEARCHES),
        bare=_side("50 rows by number", "search:lookup"),
        engines=(_side("archive", "search:archive"),),
        params={"stored": 1_000_000, "times": 100},
        quick={"stored": 200_000, "times": 50},
        prepare=SIDES + "search:write",
        max_rounds=3,
    ),
    _rate_job("workflow-1", "two durable requests, 1 caller", 10.0, 1, 1, _DBOS, _WORKFLOW),
    _rate_job("workflow-64", "two durable requests, 64 callers", 10.0, 64, 1, _DBOS, _WORKFLOW),
    _rate_job("workflow-bare-1", "the same against as many commits, 1 caller", 0.5, 1, 1, _COMMITS, _WORKFLOW),
    _rate_job("workflow-bare-64", "the same against as many commits, 64 callers", 0.5, 64, 1, _COMMITS, _WORKFLOW),
    Job(
        "workflow-sleeping",
        "100 k runs that sleep: memory over none, and the time of each when all wake; bare: delayed messages",
        (Figure("rss_mb", "MB", Compare.BELOW_OVER_BARE, 30.0), Figure("wake_ms", "ms", Compare.BELOW, 2.0)),
        bare=_side("flow, no runs", "workflow_stored:idle"),
        engines=(_side("flow, 100 k runs", "workflow_stored:sleeping"),),
        params={"runs": 100_000, "delayed": 20_000, "seconds": 2.0},
        quick={"runs": 10_000, "delayed": 5_000, "seconds": 1.0},
        prepare=SIDES + "workflow_stored:seed_sleeping",
        max_rounds=3,
    ),
    Job(
        "workflow-replay",
        "a history of 10,000 steps is replayed",
        (Figure("seconds", "s", Compare.BELOW, 2.0),),
        bare=_side("rows read and decoded", "workflow_stored:read"),
        engines=(_side("flow, sqlite", "workflow_stored:replayed"),),
        params={"steps": 10_000},
        prepare=SIDES + "workflow_stored:seed_long",
        max_rounds=3,
    ),
    Job(
        "file-durable",
        "a file of JSON Lines, each durably processed, against a loop that reads, decodes and commits groups",
        (Figure("rate", "/s", Compare.AT_LEAST_RATIO, 0.5),),
        bare=_side("apsw, groups of 1000", "file_durable:bare"),
        engines=(_side("file-in, sqlite", "file_durable:adapter"),),
        params={"lines": 200_000},
        quick={"lines": 50_000},
        prepare=SIDES + "file_durable:write",
        max_rounds=3,
    ),
    Job(
        "file-memory",
        "most memory while a file of 1 GB passes, over that without a file",
        (Figure("rss_mb", "MB", Compare.BELOW_OVER_BARE, 50.0),),
        bare=_side("node, no file", "file_durable:idle"),
        engines=(_side("file-in, sqlite", "file_durable:adapter"),),
        params={"lines": 500_000, "note": 2000},
        quick={"lines": 50_000},
        prepare=SIDES + "file_durable:write",
        max_rounds=1,
    ),
    Job(
        "sql-out",
        "rows into SQLite, a transaction each: from a durable queue, against a bare loop",
        (Figure("rate", "/s", Compare.AT_LEAST_RATIO, 0.4),),
        bare=_side("SQLAlchemy, no queue", "sql_out:bare"),
        engines=(_side("sql-out, sqlite", "sql_out:adapter"),),
        params={"rows": 5_000},
        quick={"rows": 2_000},
        max_rounds=5,
    ),
    _mqtt_job("mqtt-in", "aiomqtt, nothing stored", "bare"),
    _mqtt_job("mqtt-in-stored", "aiomqtt, apsw in groups", "stored"),
    _process_job(1, 0.6, 1500),
    _process_job(16, 0.5, 400),
    _rate_job("factory-1", "an action of Service Factory, 1 connection", 5.0, 1, 1, _WERKZEUG, _FACTORY),
    _rate_job("factory-64", "an action of Service Factory, 64 connections", 5.0, 64, 1, _WERKZEUG, _FACTORY),
    _pip_job(1, 3.0),
    _pip_job(64, 6.0, Figure("p99_ms", "ms", Compare.BELOW, 20.0), Figure("worst_ms", "ms", Compare.BELOW, 2000.0)),
    _rate_job("http-out", "a POST for each message and its answer, 64 at once", 0.5, 64, 5, _AIOHTTP, _HTTP_OUT),
    _rate_job(
        "http-out-durable",
        "durable send to answered POST, 64 at once",
        0.5,
        64,
        5,
        _side("aiohttp, apsw group commit", "http_out:kept"),
        _side("http-out, sqlite", "http_out:durable"),
    ),
    *_msb_jobs(),
    _peer_job("dbos", "DBOS on SQLite", 5.0, 800),
    _peer_job("huey", "Huey on SQLite", 5.0, 8000),
    _peer_job("celery", "Celery on Redis", 5.0, 4000),
    Job(
        "open",
        "open with 1 M stored and 100 k pending messages",
        (Figure("seconds", "s", Compare.BELOW, 3.0), Figure("rss_mb", "MB", Compare.BELOW_OVER_BARE, 150.0)),
        bare=_side("flow, empty store", "open_engine:empty"),
        engines=(_side("flow, full store", "open_engine:full"),),
        params={"stored": 1_000_000, "pending": 100_000},
        prepare=SIDES + "open_engine:seed",
        max_rounds=3,
    ),
    Job(
        "start",
        "start to first 200, idle memory, one-service flow with store and HTTP",
        (Figure("seconds", "s", Compare.BELOW, 0.3), Figure("rss_mb", "MB", Compare.BELOW, 45.0)),
        bare=_side("uvicorn, Starlette", "start:starlette"),
        engines=(_side("node", "start:node"),),
        params={"settle": 1.0},
        quick={"settle": 0.5},
    ),
    Job(
        "check-50",
        "junctor check of a flow file with 50 services, from start to exit",
        (Figure("seconds", "s", Compare.BELOW, 0.3),),
        bare=_side("python -c pass", "command:python"),
        engines=(_side("junctor check", "command:check"),),
        params={"services": 50, "runs": 5},
        quick={"runs": 3},
        max_rounds=3,
    ),
    Job(
        "help",
        "junctor --help, from start to exit",
        (Figure("seconds", "s", Compare.BELOW, 0.15),),
        bare=_side("python -c pass", "command:python"),
        engines=(_side("junctor --help", "command:help_page"),),
        params={"runs": 5},
        quick={"runs": 3},
        max_rounds=3,
    ),
)
JOBS: Mapping[str, Job] = MappingProxyType({job.name: job for job in _ALL})


def select(words: list[str]) -> list[Job]:
    """Jobs by name or by the first part of it: ``durable`` means both durable jobs, no word means all."""
    unknown = [word for word in words if not any(_means(word, name) for name in JOBS)]
    if unknown:
        raise LookupError(f"no job named {', '.join(unknown)}. Jobs: {', '.join(JOBS)}")
    return [job for job in _ALL if not words or any(_means(word, job.name) for word in words)]


def _means(word: str, name: str) -> bool:
    return name == word or name.startswith(word + "-")
