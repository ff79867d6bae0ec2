"""No task and no thread without an owner."""

from __future__ import annotations

from tests.architecture.tree import calls, report, sources

TASK_MAKERS = {"create_task", "ensure_future", "TaskGroup"}
TASK_OWNER = "runtime/supervisor.py"

THREAD_MAKERS = {"Thread", "Timer", "ThreadPoolExecutor", "ProcessPoolExecutor", "to_thread", "run_in_executor"}
# The only files that may start a thread, each with the reason. Everything else asks one of these.
THREAD_OWNERS: dict[str, str] = {
    "cli/options.py": "tells that a node does not answer, while the command waits for it",
    "runtime/threads.py": "blocking handlers, one thread a slot; services with an event loop of their own",
    "testing/_state_checks.py": "asks a transport from several threads, which its contract allows",
    "dialects/microservicebus/hosting/lane.py": "the loop of a service, and a second one while its code blocks that",
    "dialects/pip_services/rpc/services/own_listener.py": "listens for an endpoint that is opened without a container",
    "dialects/servicefactory/running.py": "runs the node, because loop() and Ctrl-C have the main thread",
    "store/search.py": "interrupts a search that takes too long; a handler in it would wait for the loop each time",
    "transports/sqlite.py": "the one writer of the store, and its readers, which wait for the disk",
    "transports/upkeep.py": "retention and backups read while the engine asks its own readers",
    "observe/logfile.py": "writes the log beside the loop, which must not wait for a disk",
    "node/alerting/limit.py": "ends a conversation with a server that drips, from beside the blocking call",
    "node/process/ending.py": "ends a process whose interpreter waits for threads that services left behind",
    "node/process/notify.py": "feeds systemd's watchdog while a debugger holds the loop",
    "runtime/workers/channel.py": "reads what the node says while code keeps the loop of a worker",
    "runtime/workers/process.py": "blocking handlers of a worker, without its loop between them and the reader",
    "runtime/watchdog.py": "sees a blocked loop from outside it and names the handler",
    "adapters/mqtt/connection.py": "the client looks up names and agrees on TLS in blocking calls",
    "adapters/sql/limit.py": "cuts off a call that waits for a database which has vanished",
    "dialects/pip_services/commons/run/fixed_rate_timer.py": "calls that may block, with or without a node",
    "dialects/pip_services/container/refer/closing.py": "closes a component that may not come to its end",
}


def test_tasks_start_only_in_the_supervisor() -> None:
    found = [
        f"{source.at(call)} {word}"
        for source in sources()
        if source.place != TASK_OWNER
        for word, call in calls(source)
        if word in TASK_MAKERS
    ]
    assert not found, report(f"a task starts outside {TASK_OWNER}, so nobody sees it fail; ask the supervisor:", found)


def test_threads_start_only_where_the_table_says() -> None:
    found = [
        f"{source.at(call)} {word}"
        for source in sources()
        if source.place not in THREAD_OWNERS
        for word, call in calls(source)
        if word in THREAD_MAKERS
    ]
    assert not found, report("a thread starts in a file that THREAD_OWNERS does not list:", found)


def test_the_table_has_no_stale_row() -> None:
    starting = {source.place for source in sources() for word, _ in calls(source) if word in THREAD_MAKERS}
    assert not set(THREAD_OWNERS) - starting, "these start no thread (any more); remove their rows"
