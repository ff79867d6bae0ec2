"""Jobs of services of microServiceBus."""

from __future__ import annotations

from typing import Any

from benchmarks.job import SIDES, Compare, Figure, Job, Side, side

_ORCHESTRATOR = side("microServiceBus itself", "msb:original")
_SERVICES = side("flow, memory", "msb:in_memory")
_STORED_SERVICES = side("flow, sqlite", "msb:durable")
_CROWD = side("64 services, memory", "msb:crowd_in_memory")
_STORED_CROWD = side("64 services, sqlite", "msb:crowd_durable")
_RESTING = side("microServiceBus itself", "msb:rest_of_original")
_RESTING_HERE = side("node", "msb:rest")
_WRITER = side("apsw group commit", "durable_bare:group_commit")


def _params(messages: int, warm_up: int, tasks: int = 1, pause: float = 0.0, few: int = 30) -> dict[str, Any]:
    """Of a receiver and a sender. The original gets so few messages, for it takes a tenth of a second for each."""
    own = {"messages": few, "warm_up": 1, "tasks": 1}
    properties = {"messages": messages, "warm_up": warm_up, "tasks": tasks, "pause": pause}
    services = [["receiver", "Receiver"], ["sender", "Sender"]]
    return {"services": services, "properties": properties, "original": own}


def _job(name: str, does: str, figures: tuple[Figure, ...], engines: tuple[Side, ...], **params: Any) -> Job:
    """The original cannot be installed beside ours: ``prepare`` makes an environment for it."""
    prepare = SIDES + "msb:prepare"
    return Job(f"msb-{name}", does, figures, _ORCHESTRATOR, engines, params, prepare=prepare, max_rounds=3)


def jobs() -> tuple[Job, ...]:
    """The same services on a node and under the original orchestrator; ours also beside bare commits."""
    ratio, enough = Compare.AT_LEAST_RATIO, Compare.AT_LEAST
    both = (_SERVICES, _STORED_SERVICES)
    conversation = {"services": [["echo", "Echo"], ["asker", "Asker"]]}
    return (
        _job(
            "action",
            "SubmitAction of microServiceBus to handled, 1 sender",
            (Figure("rate", "/s", ratio, 50.0),),
            both,
            **_params(5_000, 500),
        ),
        _job(
            "latency",
            "SubmitAction to its action, five a second",
            (Figure("p50_ms", "ms", Compare.BELOW, 2.0), Figure("worst_ms", "ms", Compare.BELOW, 20.0)),
            both,
            **_params(15, 3, pause=0.2, few=15),
        ),
        _job(
            "round-trip",
            "an action that answers by SubmitAction, 1 conversation",
            (Figure("rate", "/s", ratio, 50.0), Figure("p50_ms", "ms", Compare.BELOW, 5.0)),
            both,
            **_params(1_000, 100, few=15) | conversation,
        ),
        _job(
            "memory-64",
            "SubmitAction to handled in memory, 64 senders: tasks of a service, then services",
            (Figure("rate", "/s", enough, 20_000.0),),
            (_SERVICES, _CROWD),
            **_params(40_000, 2_000, tasks=64, few=10),
        ),
        _job(
            "durable-64",
            "SubmitAction to durably handled, 64 senders: tasks of a service, then services",
            (Figure("rate", "/s", enough, 10_000.0),),
            (_STORED_SERVICES, _STORED_CROWD),
            **_params(20_000, 2_000, tasks=64, few=10),
        ),
        Job(
            "msb-bare-1",
            "SubmitAction to durably handled, 1 sender, against bare commits",
            (Figure("rate", "/s", ratio, 0.4),),
            bare=_WRITER,
            engines=(_STORED_SERVICES,),
            params={"load": {"callers": 1, "seconds": 1.5, "chunk": 10}, **_params(3_000, 300)},
        ),
        Job(
            "msb-rest",
            "100 services on one node that have nothing to do: start, memory, CPU in percent of a core",
            (
                Figure("seconds", "s", Compare.BELOW, 2.0),
                Figure("rss_mb", "MB", Compare.BELOW, 100.0),
                Figure("cpu_percent", "%", Compare.BELOW, 1.0),
            ),
            bare=_RESTING,
            engines=(_RESTING_HERE,),
            params={"number": 100, "settle": 1.0, "idle": 5.0},
            quick={"number": 30},
            prepare=SIDES + "msb:prepare",
            max_rounds=3,
        ),
    )
