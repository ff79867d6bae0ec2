"""``iop``: does what is asked for, and turns errors into a line on standard error and an exit code.

Exit codes as in iop: 0 done, 1 not. A production in the foreground ends with the code of its node.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Sequence

import click

from junctor.dialects.iop.cli import definitions, migration, productions, watching
from junctor.dialects.iop.cli.parser import NOT_GIVEN, Misused, parser
from junctor.dialects.iop.director.local import LocalDirector
from junctor.dialects.iop.genuine import refuse_genuine
from junctor.dialects.iop.migration.registry import namespace_of
from junctor.errors import ImportFailed, JunctorError
from junctor.observe.frames import traceback_text, users_part
from junctor.observe.logs import readable

DONE, FAILED, INTERRUPTED = 0, 1, 130

Action = Callable[[argparse.Namespace, LocalDirector], int | None]

ACTIONS: dict[str, Action] = {
    "default": productions.default,
    "start": productions.start,
    "stop": productions.stop,
    "kill": productions.kill,
    "restart": productions.restart,
    "update": productions.update,
    "list": watching.list_,
    "status": watching.status,
    "queue": watching.queue,
    "log": watching.log,
    "test": watching.test,
    "migrate": migration.migrate,
    "init": migration.init,
    "export": definitions.export,
    "bindings": definitions.bindings,
    "unbind": definitions.unbind,
    "version": definitions.version,
}
"""What each flag does; one that answers None has done it."""

LATER = {
    "plan": "a plan of changes",
    "review_plan": "a plan of changes",
    "apply_plan": "a plan of changes",
    "verify_plan": "a plan of changes",
    "rollback_backup": "a plan of changes",
    "remote_settings": "work on another machine",
    "install_agent_guidance": "guidance for coding agents",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code."""
    try:
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # its reader, such as head, has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (JunctorError, RuntimeError, ValueError, OSError) as error:
        return _complain(error)


def _complain(error: Exception) -> int:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        click.echo(f"Error: {readable(_told(error))}", err=True)
        cause = error.__cause__
        if isinstance(error, ImportFailed) and cause is not None and "traceback" in error.fix:
            click.echo(readable(traceback_text(cause, users_part(cause.__traceback__))), err=True)
    return FAILED


def _told(error: Exception) -> str:
    """What is wrong first, as in iop; then where, and what to do."""
    if not isinstance(error, JunctorError):
        return str(error)
    place = f" ({error.where})" if error.where and error.where not in error.what else ""
    what = error.what.rstrip(".")
    return f"{what}{place}.{chr(10) if chr(10) in what else ' '}{error.fix}"


def _run(arguments: Sequence[str] | None) -> int:
    """Answers the exit code."""
    made = parser()
    given = made.parse_args(arguments)
    refuse_genuine()
    if given.namespace not in (None, NOT_GIVEN):
        os.environ["IOP_NAMESPACE"] = namespace_of(given.namespace)  # also for the process of a production
    _refuse_later(given)
    for name, action in ACTIONS.items():
        if getattr(given, name) not in (None, False):
            return action(given, LocalDirector()) or DONE
    if given.namespace == NOT_GIVEN:
        click.echo(os.environ.get("IOP_NAMESPACE") or os.environ.get("IRISNAMESPACE") or "not set")
        return DONE
    _refuse_lonely(given)
    _help(made)
    return DONE


def _help(made: argparse.ArgumentParser) -> None:
    director = LocalDirector()
    made.print_help()
    click.echo(f"\nDefault production: {director.get_default_production() or 'Not defined'}")
    click.echo(f"\nNamespace: {director.namespace}")


def _refuse_later(given: argparse.Namespace) -> None:
    for name, what in LATER.items():
        if getattr(given, name):
            raise NotImplementedError(f"--{name.replace('_', '-')}: {what} is not offered yet")
    if os.environ.get("IOP_URL") and not given.force_local:
        what = f"$IOP_URL is {os.environ['IOP_URL']}, and work on another machine is not offered yet"
        raise NotImplementedError(f"{what}; run the command on that machine, or add --force-local")


def _refuse_lonely(given: argparse.Namespace) -> None:
    """Options of an action that was not asked for."""
    lonely = {"detach": "--start", "dry_run": "--migrate FILE", "classname": "--test TARGET", "body": "--test TARGET"}
    for name, action in lonely.items():
        if getattr(given, name):
            raise Misused(f"--{name.replace('_', '-')} belongs to {action}", fix=f"Add {action}.")
