"""A program of the machine, run for each message."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from pathlib import Path
from typing import Any, Literal

import msgspec

from junctor.adapters.base import Outbound
from junctor.adapters.records import Fields, checked_fields, filled, reader_of
from junctor.core.expressions import Expression, Template, Variables, of_message
from junctor.core.expressions.template import as_text
from junctor.core.outcome import Hold, Park, Retry
from junctor.errors import ConfigurationError, ExpressionFailed, ProgramFailed, SettingError
from junctor.messages import Kind, codec
from junctor.services import Target, handler
from junctor.settings import Duration, setting

_SEEN = ("body", "headers", "key", "type", "message", "now")
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER")
_TOLD = 200
"""Lines of its standard error that are logged."""

_LONGEST = 2000
"""Bytes of one that are logged."""

_LOOK = 0.01
"""Seconds between two looks at whether a program has ended."""

_DRAIN = 1.0
"""Seconds for the pipes of an ended program to close."""

End = Literal["done", "retry", "hold", "park"]
_RAISED = {"retry": Retry, "hold": Hold, "park": Park}


class Command(Outbound):
    """Runs a program for each message, without a shell, with the body on its standard input.

    What it prints is the reply of a request, and goes to ``out`` where that is connected; its standard error is logged.
    Its exit code says what becomes of the message: 0 is done, others are failures. A message may run it twice, as every
    handler; ``JUNCTOR_EFFECT`` in its environment is then the same::

        sorted:
          adapter: command
          settings: {program: [sort, "--key={body.column}"], input: text, text: body.lines, output: lines}
          pool: 2
    """

    out: Target[Any] | None
    program: list[str] = setting(min_length=1, doc="The program and its arguments, which may have placeholders")
    input: Literal["json", "text", "none"] = setting("json", doc="What it reads: the body as JSON, a text, or nothing")
    text: Expression | None = setting(None, doc="The text that it reads with input: text; the body by default")
    output: Literal["json", "lines", "text", "none"] = setting("text", doc="What its standard output is read as")
    fields: Fields = setting({}, doc="Fields of what is replied and sent, as expressions; the output where it is empty")
    codes: dict[str, End] = setting({}, doc='What exit codes mean: "3": park; what is not named fails, but 0')
    timeout: Duration = setting("1m", gt=0, doc="Time after which it is killed, with its children")
    folder: Path | None = setting(None, doc="Its working directory; that of the node by default")
    environment: dict[str, str] = setting({}, doc="Variables it has beside PATH, HOME and the like", secret=True)
    limit: int = setting(16 * 1024 * 1024, gt=0, unit="bytes", doc="What it may print; more ends it")
    type: str = setting("", doc="Name of the type that is sent to out, where the receiver takes several")

    def check_settings(self) -> None:
        super().check_settings()
        self._arguments()
        self._check_program()
        if self.text is not None:
            if self.input != "text":
                raise SettingError("it is read with input: text alone", where="text", fix="Add input: text.")
            checked_fields({"text": self.text}, "text", *_SEEN)
        checked_fields(self.fields, "fields", *_SEEN, "response")
        for code in self.codes:
            if not (code.isascii() and code.isdigit() and len(code) <= 3 and int(code) <= 255):
                raise SettingError(f'"{code}" is no exit code', where="codes", fix="Write a number from 0 to 255.")

    def _check_program(self) -> None:
        """It is looked for as it is started: a path from its working directory, else where its ``PATH`` says."""
        if self.folder is not None and not self.folder.is_dir():
            raise SettingError(f"there is no folder {self.folder}", where="folder", fix="Make it, or correct the path.")
        program = self.program[0]
        path = str((self.folder or Path()) / program) if "/" in program else program
        if shutil.which(path, path=_environment(self.environment)["PATH"]) is None:
            what = f'there is no program "{program}"'
            raise SettingError(what, where="program", fix="Install it, or write its path.")

    def _arguments(self) -> list[Template]:
        try:
            made = [Template(argument) for argument in self.program[1:]]
            for one in made:
                one.check(*_SEEN)
        except ConfigurationError as error:
            raise SettingError(error.what, where="program", fix=error.fix) from None
        return made

    def on_start(self) -> None:
        self._templates = self._arguments()
        if self.out is not None:
            reader_of(self.out, self.type)  # says what is wrong with the type before anything comes

    @handler
    async def run(self, body: Any) -> Any:
        """Run the program for a body."""
        variables = of_message(self.message, body)
        arguments = [_argument(one, variables) for one in self._templates]
        code, output = await self._ran(arguments, self._input(variables))
        end = self.codes.get(str(code), "done" if code == 0 else "")
        if end in _RAISED:
            raise _RAISED[end](f"{self.program[0]} ended with code {code}")
        if not end:
            raise ProgramFailed(f"it ended with code {code}", where=self.program[0])
        answer = self._read(output)
        if self.fields:
            answer = filled(self.fields, of_message(self.message, body, response={"output": answer, "code": code}))
        return await self._passed_on(answer)

    def _input(self, variables: Variables) -> bytes | None:
        if self.input == "none":
            return None
        body = variables.of(["body"])["body"] if self.text is None else self.text.value(variables)
        return codec.encode(body) if self.input == "json" else as_text(body).encode()

    async def _ran(self, arguments: list[str], data: bytes | None) -> tuple[int, bytes]:
        """Its exit code and what it printed."""
        process = await self._started(arguments, data)
        try:
            async with asyncio.timeout(self.timeout):
                output, *_ = await asyncio.gather(
                    self._printed(process), self._complained(process), _fed(process, data), _let_go(process)
                )
                return await _exited(process), output
        except TimeoutError:
            raise ProgramFailed(f"it did not end within {self.timeout:g} s", where=self.program[0]) from None
        finally:
            await _ended(process)

    async def _started(self, arguments: list[str], data: bytes | None) -> asyncio.subprocess.Process:
        message = {"JUNCTOR_EFFECT": self.message.effect, "JUNCTOR_SESSION": self.message.session_id}
        try:
            return await asyncio.create_subprocess_exec(
                self.program[0],
                *arguments,
                stdin=asyncio.subprocess.DEVNULL if data is None else asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.folder,
                env=_environment({**self.environment, **message}),
                start_new_session=True,  # so that its children can be ended with it
            )
        except (OSError, ValueError) as error:
            raise ProgramFailed(f"it cannot be started: {error}", where=self.program[0]) from error

    async def _printed(self, process: asyncio.subprocess.Process) -> bytes:
        assert process.stdout is not None
        parts: list[bytes] = []
        size = 0
        while part := await process.stdout.read(65536):
            size += len(part)
            if size <= self.limit:
                parts.append(part)
            else:
                _kill(process)  # and its pipe is read to the end
        if size > self.limit:
            raise ProgramFailed(f"it printed more than {self.limit} bytes", where=self.program[0])
        return b"".join(parts)

    async def _complained(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        told, rest = 0, b""
        while part := await process.stderr.read(65536):
            *lines, rest = (rest + part).split(b"\n")
            told += self._tell(lines[: _TOLD - told])
            rest = rest[:_LONGEST]
        self._tell([rest] if rest and told < _TOLD else [])

    def _tell(self, lines: list[bytes]) -> int:
        for line in lines:
            self.log.warning("%s: %s", self.program[0], line[:_LONGEST].decode(errors="replace").rstrip("\r"))
        return len(lines)

    def _read(self, output: bytes) -> Any:
        if self.output == "none":
            return None
        try:
            if self.output == "json":
                return msgspec.json.decode(output)
            text = output.decode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            shown = output[:200].decode(errors="replace")
            what = f"what it printed is not {self.output}: {error}: {shown!r}"
            raise ProgramFailed(what, where=self.program[0]) from error
        return text.splitlines() if self.output == "lines" else text.removesuffix("\n")

    async def _passed_on(self, answer: Any) -> Any:
        if self.out is None or self.output == "none":
            return answer
        body = reader_of(self.out, self.type)(answer)
        if self.message.kind is Kind.REQUEST:
            return await self.out.request(body)
        return await self.out.send(body)


def _argument(template: Template, variables: Variables) -> str:
    text = template.fill(variables)
    if template.constant is None and text.startswith("-") and not template.text.startswith("-"):
        raise ExpressionFailed(f"the argument `{template}` would be read as an option: {text[:40]!r}")
    if "\0" in text:
        raise ExpressionFailed(f"the argument `{template}` has a null character in it")
    return text


def _environment(more: dict[str, str]) -> dict[str, str]:
    """What a program knows of this one: nothing secret that the node has in its own environment."""
    usual = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {"PATH": os.defpath, **usual, **more}


async def _fed(process: asyncio.subprocess.Process, data: bytes | None) -> None:
    if process.stdin is None or data is None:
        return
    with contextlib.suppress(ConnectionError):  # a program need not read all that it is given
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


def _kill(process: asyncio.subprocess.Process) -> None:
    """Kill it and what it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _exited(process: asyncio.subprocess.Process) -> int:
    """Its exit code. ``wait`` of asyncio may wait for its pipes, too, which a child may hold open for ever."""
    while process.returncode is None:  # noqa: ASYNC110 - asyncio has no event for this alone
        await asyncio.sleep(_LOOK)
    return process.returncode


async def _let_go(process: asyncio.subprocess.Process) -> None:
    """A program that has ended has printed what it prints: children that hold its pipes open are ended after a while,
    and those that left its group are not listened to."""
    await _exited(process)
    if not await _closed(process):
        _kill(process)
    if not await _closed(process):
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.feed_eof()


async def _closed(process: asyncio.subprocess.Process) -> bool:
    """Whether its pipes are closed and read to their ends, now or soon."""
    pipes = [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]
    end = asyncio.get_running_loop().time() + _DRAIN
    while not (closed := all(pipe.at_eof() for pipe in pipes)) and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - as above
        await asyncio.sleep(_LOOK)
    return closed


async def _ended(process: asyncio.subprocess.Process) -> None:
    """See to its end, and that of its children, whatever has happened."""
    _kill(process)
    await _exited(process)
    with contextlib.suppress(TimeoutError):  # a child that left its group may hold the pipes open
        async with asyncio.timeout(_DRAIN):
            for pipe in (process.stdout, process.stderr):
                while pipe is not None and await pipe.read(65536):
                    pass
    # Nothing else of asyncio closes pipes that a child holds open.
    process._transport.close()  # type: ignore[attr-defined]
