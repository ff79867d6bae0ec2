"""``junctor``: finds the command, loads its file, and turns errors into one line and an exit code.

Exit codes: 0 done; 1 the command failed; 2 the command line is wrong; 70 a node ended by itself; 78 wrong
configuration.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from junctor import __version__
from junctor.errors import ConfigurationError, JunctorError, nearest

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

OK, FAILED, MISUSED, INTERRUPTED, CONFIGURATION = 0, 1, 2, 130, 78

# Command and what --help says of it. The file of a command, cli/NAME.py, is imported when it runs.
COMMANDS = {
    "new": "Make a project that runs, with a test.",
    "run": "Run a flow, a service file or a class until Ctrl-C.",
    "check": "Find what is wrong with a flow without running it.",
    "doctor": "Find errors in a project of another framework, and correct them.",
    "graph": "Draw a flow, or write it as YAML.",
    "schema": "Print the JSON Schema of flow files, for editors.",
    "adapters": "List the adapters that a flow file can name, with their settings.",
    "install": "Write a systemd unit for a flow.",
    "status": "Show the node and its services.",
    "top": "Watch the services of a node: rates, queues, latency.",
    "logs": "Show the log of a node, and follow it.",
    "health": "Tell by exit code whether a node is well.",
    "services": "Show what each service offers and where its targets lead.",
    "call": "Call an action of a service.",
    "send": "Send a message to a service.",
    "request": "Send a message to a service and wait for its reply.",
    "messages": "List messages, newest first.",
    "trace": "Show what led to a message and what came of it, or a session.",
    "capture": "Write a session into one file, to replay it elsewhere.",
    "parked": "Show the messages that were put aside, grouped by error.",
    "resend": "Send parked messages again, one or many, changed or not.",
    "discard": "Decide that nothing follows of parked messages.",
    "note": "Keep a note with a message.",
    "workflows": "List the runs of workflows and conversations; signal, cancel, retry one.",
    "replay": "Try whether changed code still follows the histories of its runs.",
    "alerts": "Show what is wrong now, and what happened.",
    "pause": "Let a service take no messages until it is resumed.",
    "resume": "Let a paused service go on.",
    "restart": "Start a service anew.",
    "apply": "Change a running node to what a flow says now.",
    "stop": "Stop a running node cleanly.",
    "backup": "Write a verified copy of the store, while the node runs.",
    "restore": "Put a backup in place of the store of a stopped node.",
    "verify": "Read a whole store or backup against its checksums.",
    "completion": "Print what lets a shell complete commands and names.",
}


@contextlib.contextmanager
def _as_far_as_read() -> Iterator[None]:
    """The reader of a pipe, such as head, has enough: that is no failure."""
    try:
        yield
    except BrokenPipeError:
        raise click.exceptions.Exit(OK) from None


class Commands(click.Group):
    """The commands by name; a wrong name is answered with the nearest."""

    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _as_far_as_read():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _as_far_as_read():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"junctor.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in COMMANDS and not word.startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f'there is no command "{word}". {nearest(word, COMMANDS)}'.rstrip())
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return [CompletionItem(name, help=doc) for name, doc in COMMANDS.items() if name.startswith(incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


_SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
if os.environ.get("NO_COLOR"):
    _SETTINGS["color"] = False


@click.group(cls=Commands, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="junctor", message="%(prog)s %(version)s")
def cli() -> None:
    """Turn a Python class into a running service.

    Commands for a node find it by the folder they are run in, by --node or by $JUNCTOR_NODE. Where the node is down,
    they read its store.
    """


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit code."""
    _open_streams()
    try:
        code = _command(arguments)
    except BrokenPipeError:
        code = FAILED  # nobody reads the complaint
    return _flushed(code)


def _open_streams() -> None:
    """Where a program was started with a closed stream, its number would go to the next file that is opened: to the
    store, perhaps."""
    for number in range(3):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # the lowest free number is this one
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))


def _flushed(code: int) -> int:
    """The exit code when what was said has been written: Python would flush at the end, and complain by itself.

    A reader who has gone, or a terminal that was closed, is no failure of the command.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError) and getattr(error, "errno", None) != errno.EIO:
                with contextlib.suppress(OSError):
                    click.echo(f"junctor: {error}", err=True)
                code = code or FAILED
    return code


def _require_text(arguments: list[str]) -> None:
    """What is not UTF-8 goes over no socket and into no store."""
    for number, word in enumerate(arguments, 1):
        try:
            word.encode()
        except UnicodeEncodeError:
            from junctor.observe.logs import readable

            shown = readable(os.fsencode(word).decode("utf-8", "backslashreplace"))
            raise click.UsageError(f'argument {number} is not UTF-8: "{shown}"') from None


def _command(arguments: list[str] | None) -> int:
    try:
        _require_text(sys.argv[1:] if arguments is None else arguments)
        code: Any = cli.main(arguments, prog_name="junctor", standalone_mode=False)
        return code if isinstance(code, int) else OK
    except JunctorError as error:
        complain(error)
        return CONFIGURATION if isinstance(error, ConfigurationError) else FAILED
    except BrokenPipeError:
        raise
    except OSError as error:
        click.echo(f"junctor: {error}", err=True)
        return FAILED
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return MISUSED
    except click.ClickException as error:
        click.echo(f"junctor: {_usage(error)}", err=True)
        return MISUSED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED


def complain(error: JunctorError) -> None:
    """Where, what, fix on standard error: one line, or one each where several things are wrong."""
    from junctor.observe.logs import readable

    click.echo(f"junctor: {readable(str(error))}", err=True)


def _usage(error: click.ClickException) -> str:
    text = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{text} (see `{context.command_path} --help`)" if context is not None else text
