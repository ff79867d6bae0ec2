"""What durable code must not do by itself: a run is replayed from its history, and there these come out otherwise, or
are done again. Each with the form that is recorded.

The list follows that of Temporal's workflow sandbox, with what a run here has instead.
"""

from __future__ import annotations

import msgspec


class Form(msgspec.Struct, frozen=True):
    """Why something does not belong into durable code, and what stands there instead."""

    why: str
    instead: str


_ONCE = "Put it into `await self.once(...)`: it is done one time, and its result is kept with the run."

PAUSE = Form("is a pause that ends with the process", "Write `await self.sleep(...)`: it goes on after a restart.")
CLOCK = Form("tells another time when the run is replayed", "Write `self.now()`.")
CHANCE = Form("is another value when the run is replayed", "Write `self.random`: its values are the same in a replay.")
UNIQUE = Form("is another value when the run is replayed", "Write `self.uuid()`.")
OUTSIDE = Form("is done again, or finds something else, when the run is replayed", _ONCE)
SETTING = Form("may have changed when the run is replayed", "Make it a setting, or read it in `await self.once(...)`.")
BESIDE = Form(
    "runs beside the run, in an order that its history does not have",
    "Write `await self.gather(...)` or `self.first(...)`.",
)
WAITS = Form("waits for what its history does not have", "Write `await self.wait(lambda: ...)`, and a @signal for it.")
LIMIT = Form("waits by the clock of this process", "Give the request a `timeout=`, or use `await self.sleep(...)`.")
SEED = Form("differs from process to process", "Use hashlib, or compare the values themselves.")
ORDER = Form("goes through a set: its order differs from process to process", "Write `sorted(...)` around the set.")

_EXACT = {
    "asyncio.sleep": PAUSE,
    "time.sleep": PAUSE,
    "anyio.sleep": PAUSE,
    "datetime.datetime.now": CLOCK,
    "datetime.datetime.utcnow": CLOCK,
    "datetime.datetime.today": CLOCK,
    "datetime.date.today": CLOCK,
    "uuid.uuid1": UNIQUE,
    "uuid.uuid4": UNIQUE,
    "uuid.uuid6": UNIQUE,
    "uuid.uuid7": UNIQUE,
    "uuid.getnode": OUTSIDE,
    "os.urandom": CHANCE,
    "os.getrandom": CHANCE,
    "os.getenv": SETTING,
    "os.environ": SETTING,
    "os.environb": SETTING,
    "asyncio.timeout": LIMIT,
    "asyncio.timeout_at": LIMIT,
    "asyncio.wait_for": LIMIT,
    "asyncio.to_thread": OUTSIDE,
    "asyncio.open_connection": OUTSIDE,
    "asyncio.create_subprocess_exec": OUTSIDE,
    "asyncio.create_subprocess_shell": OUTSIDE,
    "hash": SEED,
    "id": SEED,
    "open": OUTSIDE,
    "input": OUTSIDE,
    "io.open": OUTSIDE,
    "urllib.request": OUTSIDE,
    "http.client": OUTSIDE,
}

_CLOCKS = (
    "time",
    "time_ns",
    "monotonic",
    "perf_counter",
    "process_time",
    "thread_time",
    "localtime",
    "gmtime",
    "ctime",
)
_EXACT.update({f"time.{name}": CLOCK for clock in _CLOCKS for name in (clock, f"{clock.removesuffix('_ns')}_ns")})

_TASKS = (
    "create_task", "ensure_future", "gather", "wait", "as_completed", "shield", "run", "Runner", "TaskGroup", "Task",
    "run_coroutine_threadsafe", "get_event_loop", "get_running_loop", "new_event_loop",
)  # fmt: skip
_EXACT.update({f"asyncio.{name}": BESIDE for name in _TASKS})
_EXACT.update(
    {
        f"asyncio.{name}": WAITS
        for name in ("Event", "Queue", "PriorityQueue", "LifoQueue", "Condition", "Semaphore", "Barrier", "Future")
    }
)

_FILES = (
    "access", "chdir", "chmod", "chown", "close", "copy_file_range", "cpu_count", "fdopen", "fork", "fstat", "fsync",
    "getcwd", "getlogin", "getloadavg", "getpid", "getppid", "getuid", "kill", "link", "listdir", "lstat", "makedirs",
    "mkdir", "mkfifo", "open", "pipe", "popen", "putenv", "read", "readlink", "remove", "removedirs", "rename",
    "renames", "replace", "rmdir", "scandir", "sendfile", "stat", "symlink", "sync", "system", "times", "truncate",
    "umask", "uname", "unlink", "unsetenv", "utime", "wait", "waitpid", "walk", "write", "posix_spawn", "execv",
    "execve", "execvp", "spawnv", "spawnl", "path.exists", "path.getatime", "path.getctime", "path.getmtime",
    "path.getsize", "path.isdir", "path.isfile", "path.islink", "path.lexists", "path.realpath", "path.samefile",
)  # fmt: skip
_EXACT.update({f"os.{name}": OUTSIDE for name in _FILES})

_WHOLE = {
    "random": CHANCE,
    "secrets": CHANCE,
    **dict.fromkeys(("threading", "multiprocessing", "concurrent.futures", "thread"), BESIDE),
    **dict.fromkeys(
        (
            "requests", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client", "socket", "ssl", "subprocess",
            "sqlite3", "apsw", "psycopg", "psycopg2", "pymysql", "asyncpg", "aiosqlite", "redis", "pymongo", "boto3",
            "aiofiles", "smtplib", "ftplib", "imaplib", "poplib", "telnetlib", "paramiko", "shutil", "tempfile", "glob",
        ),
        OUTSIDE,
    ),
}  # fmt: skip

_HARMLESS = frozenset({"random.Random", "secrets.compare_digest", "subprocess.list2cmdline", "shutil.Error"})
"""Random: with a seed of its own it draws the same each time; one without is told where it is made."""

PATH_METHODS = frozenset(
    "absolute chmod cwd exists expanduser glob hardlink_to home is_dir is_file is_mount is_symlink iterdir lchmod "
    "lstat mkdir open owner read_bytes read_text readlink rename replace resolve rglob rmdir samefile stat symlink_to "
    "touch unlink walk write_bytes write_text".split()
)
"""What of ``pathlib.Path`` looks at the disk."""

PATHS = frozenset({"pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath"})


def form_of(name: str) -> Form | None:
    """The durable form of what has this full name, ``datetime.datetime.now``; None where it may stay."""
    if name in _HARMLESS or name.startswith("random.Random."):
        return None
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        begin = ".".join(parts[:count])
        if begin in _EXACT and begin not in _WHOLE:
            return _EXACT[begin]
        if begin in _WHOLE and count < len(parts):
            return _WHOLE[begin]
    base, _, method = name.rpartition(".")
    return OUTSIDE if base in PATHS and method in PATH_METHODS else None
