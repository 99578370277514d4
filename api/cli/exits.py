"""
How every verb ends: the exit codes, and the errors that lead to them.

    Stopped
    ├── Invalid          3   the input breaks a rule, or asks for what is not there
    ├── NotAllowed       4   no token, an unknown one, or one that may not
    ├── Conflict         5   same id with other content, or a stale expectation
    │   └── IdOfAnother  5   the same id, of an event that somebody else recorded
    ├── Spooled          6   the ledger could not be reached; the events are kept on disk
    ├── Unreachable      7   the ledger could not be reached; nothing is kept
    └── No              10   the answer is no

Each says what was asked and what is so, and names the next command to try.
Wrong usage (2) is click's own error.
"""

from enum import IntEnum
from typing import IO, Any

import click


class Exit(IntEnum):
    DONE = 0
    USAGE = 2
    INVALID = 3
    NOT_ALLOWED = 4
    CONFLICT = 5
    SPOOLED = 6
    UNREACHABLE = 7
    NO = 10


class Stopped(click.ClickException):
    """The root of the tree. *advice* is what to do next; *status* the HTTP status that led here, if one did."""

    def __init__(self, message: str, advice: str | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.advice = advice
        self.status = status

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"lastgood: {self.message}", file=file, err=file is None)
        if self.advice:
            click.echo(f"  next: {self.advice}", file=file, err=file is None)


class Invalid(Stopped):
    exit_code = Exit.INVALID


class NotAllowed(Stopped):
    exit_code = Exit.NOT_ALLOWED


class Conflict(Stopped):
    exit_code = Exit.CONFLICT


class IdOfAnother(Conflict):
    pass


class Spooled(Stopped):
    exit_code = Exit.SPOOLED


class Unreachable(Stopped):
    exit_code = Exit.UNREACHABLE


class No(Stopped):
    exit_code = Exit.NO
