"""The flags of the ``iop`` command: one of a group of actions, with options for it."""

from __future__ import annotations

import argparse
from typing import NoReturn

from junctor.errors import JunctorError

NOT_GIVEN = "not given"
"""The value of a flag with an optional argument that was given without it."""

FORMATS = ("json", "python", "class", "graph", "mermaid")


class Misused(JunctorError):
    """The command line of ``iop`` is wrong."""

    code = "iop-usage"
    default_fix = "`iop --help` shows what there is."
    status = 422


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Misused(message)


def parser() -> argparse.ArgumentParser:
    """What ``iop`` understands."""
    made = _Parser(
        prog="iop",
        description="Productions of services, processes and operations in Python.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _actions(made)
    _options(made)
    return made


def _actions(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("actions").add_mutually_exclusive_group()
    optional = {"nargs": "?", "const": NOT_GIVEN}
    add = group.add_argument
    add("-d", "--default", metavar="NAME", help="show or set the default production", **optional)  # type: ignore[arg-type]
    add("-l", "--list", action="store_true", help="list productions")
    add("-s", "--start", metavar="NAME", help="start a production; Ctrl-C stops it", **optional)  # type: ignore[arg-type]
    add("-S", "--stop", action="store_true", help="stop the production that runs")
    add("-k", "--kill", action="store_true", help="end it, by force if need be")
    add("-r", "--restart", action="store_true", help="stop it and start it again, detached")
    add("-u", "--update", action="store_true", help="let it go over to what was migrated, without a stop")
    add("-x", "--status", action="store_true", help="show the state of the production")
    add("-m", "-M", "--migrate", metavar="FILE", help="register what a settings file names")
    add("-e", "--export", metavar="NAME", help="print the definition of a production", **optional)  # type: ignore[arg-type]
    add("-v", "--version", action="store_true", help="print the version")
    add("-L", "--log", metavar="N", help="show the last N rows of the log, or follow it", **optional)  # type: ignore[arg-type]
    add("-q", "--queue", metavar="NAME", help="show how many messages wait", **optional)  # type: ignore[arg-type]
    add("-i", "--init", metavar="PATH", help="without effect: nothing needs to be loaded", **optional)  # type: ignore[arg-type]
    add("-t", "--test", metavar="TARGET", help="send a request to an item", **optional)  # type: ignore[arg-type]
    add("--bindings", action="store_true", help="list the registered classes")
    add("--unbind", metavar="CLASS", help="forget a registered class")
    _not_offered(group)


def _not_offered(group: argparse._MutuallyExclusiveGroup) -> None:
    """Flags that are known, so that who uses them is told."""
    for flag in ("--plan", "--review-plan", "--apply-plan", "--verify-plan", "--rollback-backup"):
        group.add_argument(flag, metavar="FILE", help=argparse.SUPPRESS)
    group.add_argument("--install-agent-guidance", nargs="?", const=NOT_GIVEN, help=argparse.SUPPRESS)


def _options(made: argparse.ArgumentParser) -> None:
    start = made.add_argument_group("start")
    start.add_argument("-D", "--detach", action="store_true", help="start it beside this terminal")
    migrate = made.add_argument_group("migrate")
    migrate.add_argument("--dry-run", "--explain", dest="dry_run", action="store_true", help="only print the plan")
    migrate.add_argument("--strict-production-validation", action="store_true", help="refuse what is doubtful")
    migrate.add_argument("--force-local", action="store_true", help="ignore $IOP_URL and REMOTE_SETTINGS")
    export = made.add_argument_group("export")
    export.add_argument("--format", choices=FORMATS, default="json", help="json by default")
    test = made.add_argument_group("test")
    test.add_argument("-C", "--classname", metavar="CLASS", help="the class of the message, msg.Order")
    test.add_argument("-B", "--body", metavar="BODY", help="its fields as JSON, or @file.json")
    made.add_argument_group("bindings").add_argument("--unused", action="store_true", help="only those nobody uses")
    place = made.add_argument_group("namespace")
    place.add_argument("-n", "--namespace", metavar="NS", nargs="?", const=NOT_GIVEN, help="USER by default")
    place.add_argument("-R", "--remote-settings", metavar="FILE", help=argparse.SUPPRESS)
    for flag in ("--production", "--out", "--settings", "--backup-dir", "--agent"):
        made.add_argument(flag, help=argparse.SUPPRESS)
    for flag in ("--allow-destructive", "--force-agent-guidance"):
        made.add_argument(flag, action="store_true", help=argparse.SUPPRESS)
