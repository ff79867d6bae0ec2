"""Loggers: the format of a line, levels, where a line goes."""

from __future__ import annotations

import re
from typing import Any

import pytest

from junctor.dialects.pip_services.commons.config import ConfigParams
from junctor.dialects.pip_services.commons.refer import Descriptor, References
from junctor.dialects.pip_services.components.info import ContextInfo
from junctor.dialects.pip_services.components.log import (
    CachedLogger,
    CompositeLogger,
    ConsoleLogger,
    LogLevel,
    LogLevelConverter,
    LogMessage,
    NullLogger,
)

LINE = re.compile(r"\[(?P<id>[^:]+):(?P<level>[A-Z]+):\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] (?P<text>.*)\n")


def test_a_line_has_the_format_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    logger = ConsoleLogger()
    logger.info("echo", "Container %s started.", "hello-world")
    logger.info(None, "100% done")
    found = [match.groupdict() for match in LINE.finditer(capsys.readouterr().out)]
    assert found == [
        {"id": "echo", "level": "INFO", "text": "Container hello-world started."},
        {"id": "---", "level": "INFO", "text": "100% done"},
    ]


def test_warnings_and_errors_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    logger = ConsoleLogger()
    logger.warn("a", "careful")  # noqa: G010 - theirs
    logger.error("a", ValueError("no disk"), "Failed")
    logger.fatal("a", ValueError("no disk"))
    said = capsys.readouterr()
    assert said.out == ""
    assert [match["text"] for match in LINE.finditer(said.err)] == ["careful", "Failed: no disk", "Error: no disk"]


def test_arguments_that_do_not_fit_lose_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    ConsoleLogger().info("a", "100% done %s", "b")
    assert "100% done %s b\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "level"),
    [("warning", LogLevel.Warn), ("3", LogLevel.Warn), (3, LogLevel.Warn), ("Trace", LogLevel.Trace)]
    + [("none", LogLevel.Nothing), ("loud", LogLevel.Info), (None, LogLevel.Info)],
)
def test_levels_are_read_as_names_and_numbers(written: Any, level: int) -> None:
    assert LogLevelConverter.to_log_level(written) == level


def test_only_what_the_level_asks_for_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    logger = ConsoleLogger()
    logger.configure(ConfigParams.from_tuples("level", "info"))
    logger.debug("a", "hidden")
    logger.configure(ConfigParams.from_tuples("level", "trace"))
    logger.trace("a", "shown")
    assert "hidden" not in (out := capsys.readouterr().out) and "shown" in out


def test_a_composite_gives_a_line_to_each_logger_once_and_fills_it_once(capsys: pytest.CaptureFixture[str]) -> None:
    console = ConsoleLogger()
    references = References.from_tuples(
        Descriptor("pip-services", "logger", "console", "default", "1.0"), console,
        Descriptor("pip-services", "logger", "null", "default", "1.0"), NullLogger(),
        Descriptor("pip-services", "context-info", "default", "default", "1.0"), ContextInfo("shop"),
    )  # fmt: skip
    composite = CompositeLogger(references)
    composite.set_references(references)
    composite.info("a", "%s", "50% %s")
    assert [match["text"] for match in LINE.finditer(capsys.readouterr().out)] == ["50% %s"]
    assert composite.get_source() == "shop"


class Kept(CachedLogger):
    def __init__(self) -> None:
        super().__init__()
        self.saved: list[LogMessage] = []
        self.broken = False

    def _save(self, messages: list[LogMessage]) -> None:
        if self.broken:
            raise OSError("no network")
        self.saved += messages


def test_collected_lines_stay_while_they_cannot_be_saved() -> None:
    logger = Kept()
    logger.configure(ConfigParams.from_tuples("source", "shop", "options.max_cache_size", 2))
    logger.broken = True
    for text in ("one", "two", "three"):
        logger.info("a", text)
    logger.dump()
    logger.broken = False
    logger.error("a", ValueError("x"), "four")
    logger.dump()
    assert [message.message for message in logger.saved] == ["two", "three", "four"]
    last = logger.saved[-1].to_json()
    assert (last["level"], last["source"], last["error"]["message"]) == ("ERROR", "shop", "x")
