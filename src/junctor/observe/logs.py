"""Logging through the standard library: readable lines on a terminal, JSON lines elsewhere, lines that join the hop.

Whatever is logged while the code of a service runs, by ``self.log`` or by any library, is kept with the hop that runs
(level INFO and above), so that a trace shows it. Text is never trusted: in the readable form control characters are
escaped and further lines are indented, so that no logged value can look like a line of its own.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import IO, Any, Literal, NamedTuple

import msgspec

from junctor.core.hop import Hop, current
from junctor.core.outcome import LogLine
from junctor.errors import ConfigurationError, named, text_of
from junctor.messages import session_text
from junctor.observe.frames import traceback_text, users_part
from junctor.observe.hidden import unquoted, without_hidden
from junctor.observe.secrets import mask

Form = Literal["auto", "human", "json"]
LEVELS = ("debug", "info", "warning", "error", "critical")

# C0 and C1 controls but tab and line feed; line and paragraph separator; marks that reorder text on a terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_COLOURS = {logging.DEBUG: "2", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
_MARGIN = "\n    | "


def configure(level: str = "info", form: Form = "auto", stream: IO[str] | None = None) -> Callable[[], None]:
    """Let this process log to ``stream`` (standard error): for programs that belong to Junctor, not for embedding.

    ``form`` "auto" is readable lines with colour on a terminal and JSON lines elsewhere. Answers a function that
    undoes it.

    :raises ConfigurationError: the level is none of :data:`LEVELS`.
    """
    out = stream or sys.stderr
    terminal = out.isatty()
    readable = form == "human" or (form == "auto" and terminal)
    handler = logging.StreamHandler(out)
    handler.setLevel(level_number(level))
    handler.setFormatter(HumanFormatter(colour=colours(out)) if readable else JsonFormatter())
    root = logging.getLogger()
    before, level_before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    # The trace keeps INFO also when the console is asked for less.
    root.setLevel(min(handler.level, logging.INFO))
    logging.captureWarnings(True)

    def undo() -> None:
        root.handlers[:] = before
        root.setLevel(level_before)
        logging.captureWarnings(False)

    return undo


def colours(out: IO[str]) -> bool:
    """Whether what is written there may have colours: it is a terminal, and nobody set $NO_COLOR."""
    return out.isatty() and not os.environ.get("NO_COLOR")


def level_number(level: str) -> int:
    """The number that the standard library has for a word of :data:`LEVELS`.

    :raises ConfigurationError: there is no such level.
    """
    if level.lower() not in LEVELS:
        raise ConfigurationError(
            f"{level!r} is not a log level", where="--log-level", fix=f"Use one of {', '.join(LEVELS)}."
        )
    return logging.getLevelNamesMapping()[level.upper()]


def join_hops() -> Callable[[], None]:
    """Let every log record join the hop that runs. Leaves the program's own logging as it is; answers the undo."""
    root = logging.getLogger()
    handler = HopHandler()
    root.addHandler(handler)
    ours = logging.getLogger("junctor")
    level_before = ours.level
    if level_before == logging.NOTSET and root.level > logging.INFO:
        ours.setLevel(logging.INFO)

    def undo() -> None:
        root.removeHandler(handler)
        ours.setLevel(level_before)

    return undo


class ServiceLog(logging.LoggerAdapter[logging.Logger]):
    """``self.log`` of a service: a standard logger called ``flow.service`` whose records carry the address.

    Lines from INFO on join the hop also where the program around, which owns the logging, shows less.
    """

    def __init__(self, address: str) -> None:
        super().__init__(logging.getLogger(address.replace("/", ".")), {"service": address})

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        # The base class would drop what the caller gives as `extra`.
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs

    def isEnabledFor(self, level: int) -> bool:
        return self.logger.isEnabledFor(level) or (level >= logging.INFO and current.get() is not None)

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        if self.logger.isEnabledFor(level):
            text, kwargs = self.process(msg, kwargs)  # type: ignore[assignment]
            kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1  # the caller's line, not this one
            self.logger.log(level, text, *args, **kwargs)
        elif self.isEnabledFor(level):
            _note(self.logger.makeRecord(self.logger.name, level, "", 0, msg, args, _exc_info(kwargs)))


class HopHandler(logging.Handler):
    """Appends records to the current hop."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        _note(record)
        self._last_resort(record)

    def _last_resort(self, record: logging.LogRecord) -> None:
        # The standard library shows warnings on standard error only while no handler is set at all: being the only one,
        # this handler would silence a program that never configured logging.
        resort = logging.lastResort
        if resort is not None and record.levelno >= resort.level and logging.getLogger().handlers == [self]:
            resort.handle(record)


class HumanFormatter(logging.Formatter):
    """``12:01:02.345 WARNING  alarm        cpu above 80  3f2a1b9c``: local time, level, service, text, session."""

    def __init__(self, *, colour: bool = False) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        hop = _hop(record)
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = record.getMessage()
        if record.exc_info and (trace := _exception(record)):
            text = f"{text}\n{trace}"
        if record.stack_info:
            text = f"{text}\n{record.stack_info}"
        text = _unquoted(text, record, hop)
        session = session_text(hop.session) if hop is not None and hop.session else ""
        return human_line(
            f"{clock}.{int(record.msecs):03d}",
            record.levelname,
            _service(record, hop),
            mask(text),
            session,
            colour=self._colour,
        )


def human_line(clock: str, level: str, service: str, text: str, session: str, *, colour: bool) -> str:
    """The readable form of a log line; further lines of the text are indented, so that none looks like its own."""
    code = _COLOURS.get(logging.getLevelNamesMapping().get(level, 0), "") if colour else ""
    word = f"{level:<8}"
    word = f"\x1b[{code}m{word}\x1b[0m" if code else word
    first, *rest = readable(text).split("\n")
    line = f"{clock} {word} {readable(service):<12} {first}"
    if session:
        line += f"  \x1b[2m{session[-8:]}\x1b[0m" if colour else f"  {session[-8:]}"
    return line + "".join(_MARGIN + more for more in rest)


class Noted(NamedTuple):
    """What a log record says, taken at once; what is left to do for a line of JSON can be done later, in a thread.

    ``event`` says what kind of line it is: ``failure``, of a message that is parked, a tick, or a conversation;
    ``alert`` of a rule; where a dialect tells it, its own word for the level. ``source`` is who logged,
    ``MyService.on_message``, where a dialect tells that.
    """

    created: float
    level: str
    logger: str
    text: str
    service: str
    session: int
    message: Any
    exception: str
    event: str = ""
    source: str = ""


def noted(record: logging.LogRecord) -> Noted:
    """What a record says, with the hop that runs now."""
    hop = _hop(record)
    service = getattr(record, "service", None) or (hop.address if hop is not None else "")
    return Noted(
        record.created,
        record.levelname,
        record.name,
        _unquoted(record.getMessage(), record, hop),
        str(service),
        hop.session if hop is not None else 0,
        hop.message if hop is not None else None,
        _unquoted(_exception(record), record, hop) if record.exc_info else "",
        *_told(record),
    )


def _told(record: logging.LogRecord) -> tuple[str, str]:
    event, cls, method = (getattr(record, name, "") for name in ("event", "source_class", "source_method"))
    return str(event), f"{cls}.{method}" if cls else ""


FAILURE, ALERT = "failure", "alert"
"""Events of lines that the engine writes itself."""


def json_line(said: Noted) -> bytes:
    """The JSON form of a record, with secrets masked; without the line feed at its end."""
    fields: dict[str, str] = {
        "time": _stamp(said.created),
        "level": said.level.lower(),
        "logger": _encodable(said.logger),
        "text": _encodable(mask(said.text)),
    }
    if said.service:
        fields["service"] = _encodable(said.service)
    if said.session:
        fields["session"] = session_text(said.session)
    if said.message is not None:
        fields["message"] = said.message.id
    if said.event:
        fields["event"] = _encodable(said.event)
    if said.source:
        fields["source"] = _encodable(said.source)
    if said.exception:
        fields["exception"] = _encodable(mask(said.exception))
    return msgspec.json.encode(fields)


class JsonFormatter(logging.Formatter):
    """One JSON object each: time (RFC 3339, UTC), level, logger, text; service, session, message, exception if any."""

    def format(self, record: logging.LogRecord) -> str:
        line = json_line(noted(record))
        record.json_line = line  # for the file beside, which says the same
        return line.decode()


_second: tuple[int, str] = (0, "")


def _stamp(created: float) -> str:
    """RFC 3339 in UTC, to the microsecond; what many lines of a second have in common is made once."""
    global _second
    micros = round(created * 1e6)
    seconds, micros = divmod(micros, 1_000_000)
    known, text = _second
    if known != seconds:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        _second = seconds, text
    return f"{text}.{micros:06d}Z"


def _note(record: logging.LogRecord) -> None:
    hop = current.get()
    if hop is not None and hop.open:
        try:
            text = record.getMessage()
        except Exception as error:  # noqa: BLE001 - as everywhere in logging, a wrong format does not fail the caller
            text = f"{record.msg} ({type(error).__name__}: {text_of(error)})"
        if record.exc_info and (trace := _exception(record)):
            text = f"{text}\n{trace}"
        text = mask(_unquoted(text, record, hop))
        hop.note(LogLine(int(record.created * 1e9), record.levelno, record.name, _encodable(text)))


def _unquoted(text: str, record: logging.LogRecord, hop: Hop | None) -> str:
    """Without the values that the hop hides, or the exception that is told of."""
    text = without_hidden(text, hop)
    return unquoted(text, record.exc_info[1]) if record.exc_info else text


def _exc_info(kwargs: Mapping[str, Any]) -> Any:
    given = kwargs.get("exc_info")
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    return sys.exc_info() if given is True else given


def readable(text: str) -> str:
    """Text with control characters and marks that reorder a line written as escapes; line feeds and tabs stay."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def readable_json(text: str) -> str:
    """JSON with the same characters as escapes of JSON: it says the same, and a terminal does not obey it."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _hop(record: logging.LogRecord) -> Hop | None:
    """The hop of a record: the one it names (``extra={"hop": ...}``, for what is said about a hop that is over), else
    the one that runs."""
    hop: Hop | None = getattr(record, "hop", None)
    return hop if hop is not None else current.get()


def _service(record: logging.LogRecord, hop: Hop | None) -> str:
    named = getattr(record, "service", None)
    if named:
        return str(named).rpartition("/")[2]
    return hop.service if hop is not None else record.name.removeprefix("junctor.")


def _exception(record: logging.LogRecord) -> str:
    # Cached on the record as the standard library does it: several handlers, one formatting.
    if not record.exc_text and record.exc_info:
        error = record.exc_info[1]
        if error is None:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        else:
            text = traceback_text(error, users_part(record.exc_info[2])).rstrip("\n")
            # An error of ours without code of the user has no traceback: then the line at least names it.
            record.exc_text = text or ("" if text_of(error) in record.getMessage() else named(error))
    return record.exc_text or ""


def _encodable(text: str) -> str:
    """A lone surrogate has no UTF-8 form; it is written as an escape."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
