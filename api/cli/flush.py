"""
`lastgood flush`: sends what waits in a spool, oldest first.

Each file goes only after its receipt, so a crash at any point sends some
events twice, which the ledger answers as duplicates, and loses none. An event
that the ledger refuses does not hold up the others: it stays aside with the
reason, and the exit code is that of the first refusal.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from api.cli import options, show
from api.cli.exits import NotAllowed, Spooled, Stopped, Unreachable


@dataclass(slots=True)
class Outcome:
    sent: int = 0
    duplicates: int = 0
    refused: int = 0
    waiting: int = 0


@click.command(
    params=[
        *options.DELIVERY,
        click.Option(["--again"], is_flag=True, help="Send those once more that were refused before."),
        options.output("text", "json"),
    ]
)
def flush(output: str, again: bool, **flags: Any) -> None:
    """Send the events that were spooled while the ledger was out of reach, in order."""
    delivery = options.deliver(flags)
    if delivery.spool is None:
        raise click.UsageError("there is no spool: name it with --spool DIR, or set LASTGOOD_SPOOL")
    flushing = _Flushing(delivery.client, delivery.spool)
    with delivery.effort():
        try:
            flushing.everything(again)
        finally:
            flushing.outcome.waiting = len(delivery.spool.waiting())
            _tell(flushing.outcome, delivery.spool.folder, output)
        if flushing.first_refusal:
            raise flushing.first_refusal


class _Flushing:
    def __init__(self, client: Any, spool: Any) -> None:
        self.client, self.spool = client, spool
        self.outcome = Outcome()
        self.first_refusal: Stopped | None = None

    def everything(self, again: bool) -> None:
        refused_before = self.spool.refused() if again else []
        try:
            for path in self.spool.waiting():
                self._file(path)
            for refused in refused_before:
                self._event(refused.event)
                self.spool.remove(refused.path)
        except Unreachable as error:
            raise Spooled(f"{error.message}; what is left stays in {self.spool.folder}", error.advice) from None

    def _file(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return  # Another flush was faster.
        events = [line for line in content.splitlines() if line.strip()]
        try:
            answer = self.client.post("/v1/events", content, "application/x-ndjson", {"Prefer": "return=minimal"})
            self.outcome.sent += answer["count"]
            self.outcome.duplicates += answer["duplicates"]
        except Unreachable:
            raise
        except Stopped as stopped:
            _stop_without_token(stopped)
            for event in events:
                self._event(event)
        self.spool.remove(path)

    def _event(self, event: bytes) -> None:
        from api.cli.deliver import resend  # noqa: PLC0415 - imported by now

        try:
            receipt = resend(self.client, event)
        except Unreachable:
            raise
        except Stopped as stopped:
            _stop_without_token(stopped)
            aside = self.spool.set_aside(event, stopped.message)
            click.echo(f"refused, kept in {aside}: {stopped.message}", err=True)
            self.outcome.refused += 1
            self.first_refusal = self.first_refusal or type(stopped)(
                f"the ledger refused some of what was spooled; each is kept in {self.spool.folder} with the reason",
                "put right what the reasons say, then: lastgood flush --again",
            )
        else:
            self.outcome.sent += 1
            self.outcome.duplicates += receipt["duplicate"]


def _stop_without_token(stopped: Stopped) -> None:
    """An unknown token says nothing about the events, so none is set aside for it."""
    if isinstance(stopped, NotAllowed) and stopped.status == 401:
        raise stopped


def _tell(outcome: Outcome, folder: Path, output: str) -> None:
    if output == "json":
        show.print_json(asdict(outcome))
        return
    again = f" ({outcome.duplicates} known already)" if outcome.duplicates else ""
    click.echo(f"sent {outcome.sent}{again}, refused {outcome.refused}, still waiting {outcome.waiting} in {folder}")
