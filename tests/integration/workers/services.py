"""Services that a worker process imports by name."""

from __future__ import annotations

import os
from dataclasses import dataclass

from junctor import Service, Target, handler, setting


@dataclass
class Job:
    number: int
    fatal: bool = False


@dataclass
class Worked:
    number: int
    pid: int
    total: int


@dataclass
class Question:
    number: int


@dataclass
class Answer:
    number: int


@dataclass
class Note:
    text: str


class Crunch(Service):
    factor: int = setting(2, ge=1)
    oracle: Target[Question, Answer]
    notes: Target[Note]

    @handler
    def work(self, job: Job) -> Worked:
        if job.fatal:
            os.kill(os.getpid(), 9)
        self.notes.send(Note(f"before {job.number}"))
        answer = self.oracle.request(Question(job.number)).result(10)
        self.log.info("asked for %s", job.number)
        self.notes.send(Note(f"after {job.number}"))
        self.state["total"] = self.state.get("total", 0) + 1
        return Worked(answer.number * self.factor, os.getpid(), self.state["total"])


class Oracle(Service):
    asked: int = 0

    @handler
    async def answer(self, question: Question) -> Answer:
        return Answer(question.number + 1)


class Notes(Service):
    @handler
    async def keep(self, note: Note) -> None:
        self.state[note.text] = True
