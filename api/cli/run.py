"""
`lastgood run`: a deploying command, with what became of it on record.

Promises never to stand in the command's way: it runs whether or not the
ledger answers, with the standard streams it would have had, gets the signals
that we get, and its exit code is ours.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Any

import click

from api.cli import options, show
from api.cli.exits import Spooled, Stopped

FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT)
PATIENCE_S = 5.0
"""How long the command may have to wait for the ledger, each time."""


@click.command(
    context_settings={"allow_interspersed_args": False},
    params=[
        click.Option(["--service"], required=True, help="The service."),
        click.Option(["--environment"], required=True, help="The environment."),
        click.Option(["--version"], help="The version. (required, unless CI tells it)"),
        click.Option(["--digest"], help="The artifact's digest, sha256:..."),
        click.Option(["--deployment-id"], help="Names the deployment. [the CI run, else a new one]"),
        click.Option(
            ["--release/--no-release", "released"],
            default=None,
            help="Whether success also completes the release. [as the environment is configured]",
        ),
        *options.DELIVERY,
        click.Argument(["command"], nargs=-1, required=True, type=click.UNPROCESSED),
    ],
)
@click.pass_context
def run(ctx: click.Context, /, command: tuple[str, ...], **flags: Any) -> None:
    """
    Run COMMAND, and record deployment.started, then succeeded or failed.

    Write -- before COMMAND. Its exit code is returned, whatever became of the
    record: where the ledger can't be reached, events go to the spool, or are
    told to be lost.
    """
    recorder = _Recorder(flags)
    recorder.record("deployment.started", {})
    ending = _run(command)
    if ending.code == 0:
        recorder.record("deployment.succeeded", {"released": flags["released"]})
    else:
        recorder.record("deployment.failed", {"reason": ending.reason, "residual": ending.residual})
    ctx.exit(ending.code)


class _Recorder:
    """Records the steps of one deployment, and never raises for the ledger's sake."""

    def __init__(self, flags: Mapping[str, Any]) -> None:
        from api.cli import ci, identity, record  # noqa: PLC0415 - `--help` needs none of them

        self.facts = ci.detect(os.environ)
        self.given = {**flags, "deployment_id": flags["deployment_id"] or self.facts.attempt or identity.uuid7()}
        record.data_of("deployment.started", self.given, self.facts, identity.uuid7)
        timeout_s = min(PATIENCE_S, options.settings(flags).timeout_s)
        self.delivery = options.deliver({**flags, "timeout_s": timeout_s})

    def record(self, topic: str, more: Mapping[str, Any]) -> None:
        from api.cli import deliver, drafts, identity, record  # noqa: PLC0415 - see above

        data = record.data_of(topic, {**self.given, **more}, self.facts, identity.uuid7)
        event = {"specversion": "1.0", "type": topic, "data": data}
        if self.facts.source:
            event["source"] = self.facts.source
        try:
            receipt = self.delivery.one(drafts.of(event, self.facts))
        except Stopped as stopped:
            spooled = isinstance(stopped, Spooled)
            deliver.loudly(f"{topic} {'SPOOLED, NOT YET RECORDED' if spooled else 'NOT RECORDED'}", stopped)
        else:
            show.print_warnings(receipt["warnings"])


@dataclass(frozen=True, slots=True)
class Ending:
    code: int
    reason: str = ""
    residual: str | None = None
    """None where nobody knows what the command left behind."""


def _run(command: tuple[str, ...]) -> Ending:
    """How the command ended, in a shell's exit codes: 126 and 127 where it could not start, 128 + n for signal n."""
    with _forwarding() as forwarding:
        try:
            # The caller's own command, by the caller's wish.
            child = subprocess.Popen(command)  # noqa: S603
        except OSError as error:
            click.echo(f"lastgood: {command[0]}: {error.strerror}", err=True)
            missing = isinstance(error, FileNotFoundError)
            return Ending(127 if missing else 126, f"{command[0]}: {error.strerror}", "unchanged")
        forwarding.to(child)
        code = child.wait()
    if code < 0:
        return Ending(128 - code, f"ended by {signal.Signals(-code).name}")
    return Ending(code, f"exit status {code}")


class _Forwarding:
    """Passes signals on to one child; those that come before it is there, once it is."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def handle(self, number: int, _frame: FrameType | None) -> None:
        # A terminal sends Ctrl-C to the child as well, and some tools take a second one for "at once".
        if number == signal.SIGINT and _in_foreground():
            return
        if self._child is None:
            self._early.append(number)
        else:
            self._child.send_signal(number)

    def to(self, child: "subprocess.Popen[bytes]") -> None:
        self._child = child
        for number in self._early:
            child.send_signal(number)


@contextmanager
def _forwarding() -> Iterator[_Forwarding]:
    forwarding = _Forwarding()
    before = {number: signal.signal(number, forwarding.handle) for number in FORWARDED}
    try:
        yield forwarding
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    """Whether a terminal has this process and its child in the foreground."""
    with suppress(OSError):
        terminal = os.open("/dev/tty", os.O_RDONLY)
        try:
            return os.tcgetpgrp(terminal) == os.getpgrp()
        finally:
            os.close(terminal)
    return False
