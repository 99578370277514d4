"""
`lastgood append`: events from a file or standard input, in batches, each recorded whole or not at all.

The input is never held in memory at once. Where a batch is refused, what
went before it is recorded and told.
"""

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import click

from api.cli import options, show
from api.cli.exits import Invalid, Stopped


@dataclass(slots=True)
class Summary:
    """What came of all batches together."""

    first: int | None = None
    last: int | None = None
    count: int = 0
    duplicates: int = 0
    spooled: int = 0
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, answer: dict[str, Any]) -> None:
        self.first = answer["first"] if self.first is None else self.first
        self.last = self.last if answer["last"] is None else answer["last"]
        self.count += answer["count"]
        self.duplicates += answer["duplicates"]
        for receipt in answer.get("receipts", ()):
            self.warnings += [{"position": receipt["position"], "warning": each} for each in receipt["warnings"]]

    def __str__(self) -> str:
        places = f", positions {self.first} to {self.last}" if self.first is not None else ""
        again = f"; {self.duplicates} known already" if self.duplicates else ""
        return f"recorded {show.counted(self.count - self.duplicates, 'event')}{places}{again}"


@click.command(
    params=[
        click.Argument(["file"], type=click.File("rb"), default="-"),
        *options.DELIVERY,
        *options.CONDITIONS,
        click.Option(
            ["--receipt"], type=click.Path(path_type=Path), help="A file to keep verified receipts with proof in."
        ),
        click.Option(["--log-key"], help="The log's public key (a vkey, or a file of such). [LASTGOOD_LOG_KEY]"),
        options.output("text", "json"),
    ]
)
def append(file: BinaryIO, output: str, dry_run: bool, **flags: Any) -> None:
    """
    Append events from FILE (default: standard input).

    Takes one JSON object, a JSON array, or NDJSON. Each event has a type and
    data; id, source and time are filled in where absent, from the CI job
    where there is one. Each batch of up to 10,000 events is all or nothing.
    """
    if file.isatty():
        raise click.UsageError("nothing is piped in: name a FILE, or pipe events into this command")
    if dry_run:
        _check(file)
        return
    summary = Summary()
    delivery = options.deliver(flags)
    receipts = _receipts(delivery, flags)
    with delivery.effort():
        try:
            _send(file, delivery, summary, receipts)
        finally:
            summary.spooled = delivery.kept
            _tell(summary, output)
        if delivery.kept:
            raise delivery.told()


def _receipts(delivery: Any, flags: dict[str, Any]) -> Any:
    """What keeps receipts with proof, if that is asked for."""
    if flags["receipt"] is None:
        if flags["log_key"] is not None:
            raise click.UsageError("--log-key verifies what --receipt keeps: give both")
        return None
    from api.cli.receipts import Receipts  # noqa: PLC0415 - only who asks for proof pays for it

    delivery.sealed = True
    return Receipts(flags["receipt"], delivery.client, flags["log_key"] or os.environ.get("LASTGOOD_LOG_KEY") or None)


def _send(file: BinaryIO, delivery: Any, summary: Summary, receipts: Any) -> None:
    from api.cli import ci, drafts  # noqa: PLC0415 - `append --help` needs neither

    with _progress(file) as advance:
        if delivery.expected_revision is not None:
            batch = list(drafts.read(file, ci.detect(os.environ)))
            answer = _alone(batch, delivery)
            summary.add(answer)
            if receipts is not None:
                receipts.keep(answer["receipts"], partial(delivery.again, batch))
            return
        for batch in drafts.batches(drafts.read(file, ci.detect(os.environ))):
            try:
                answer = delivery.many(batch)
            except Stopped as stopped:
                raise _placed(stopped, batch, summary) from None
            if answer is not None:
                summary.add(answer)
                if receipts is not None:
                    receipts.keep(answer["receipts"], partial(delivery.again, batch))
            advance(len(batch))


def _alone(read: Sequence[Any], delivery: Any) -> dict[str, Any]:
    if len(read) != 1:
        raise Invalid(f"--expected-revision goes with a single event, and here are {len(read)}")
    receipt = delivery.one(read[0])
    new = None if receipt["duplicate"] else receipt["position"]
    return {"first": new, "last": new, "count": 1, "duplicates": int(receipt["duplicate"]), "receipts": [receipt]}


def _placed(stopped: Stopped, batch: Sequence[Any], summary: Summary) -> Stopped:
    """The same error, saying where in the input it struck and what is recorded nevertheless."""
    lines = f"lines {batch[0].line} to {batch[-1].line}" if len(batch) > 1 else f"line {batch[0].line}"
    before = f"; the {summary.count} events before are recorded" if summary.count else ""
    return type(stopped)(f"{stopped.message}\n  nothing of {lines} is recorded{before}", stopped.advice, stopped.status)


def _check(file: BinaryIO) -> None:
    """Says what would be sent. Raises `Invalid` with every fault of the first events that have any."""
    import json  # noqa: PLC0415 - only --dry-run needs these

    from api.cli import ci, drafts  # noqa: PLC0415
    from ledger import contract, errors  # noqa: PLC0415 - reads the whole catalogue, 0.1 s

    counted: Counter[str] = Counter()
    faults = []
    for draft in drafts.read(file, ci.detect(os.environ)):
        counted[draft.type] += 1
        try:
            contract.accept(contract.event_class(draft.type), json.loads(draft.text).get("data"))
        except errors.Invalid as invalid:
            faults += [f"  line {draft.line}: {each.pointer} {each.detail}" for each in invalid.errors]
    if faults:
        more = [f"  and {len(faults) - 20} more"] if len(faults) > 20 else []
        raise Invalid("\n".join(["nothing was sent, and this would be refused:", *faults[:20], *more]))
    for kind, count in sorted(counted.items()):
        click.echo(f"{count:8} {kind}")
    click.echo(f"{counted.total():8} in all, none of them sent")


def _tell(summary: Summary, output: str) -> None:
    if output == "json":
        show.print_json(asdict(summary))
    elif summary.count:
        click.echo(str(summary))
    show.print_warnings(f"position {each['position']}: {show.warning(each['warning'])}" for each in summary.warnings)


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Any]:
    """What counts events up on a terminal, and nowhere else."""
    if not sys.stderr.isatty():
        yield lambda _count: None
        return
    from rich.console import Console  # noqa: PLC0415 - 0.1 s that a pipeline never pays
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    columns = (TextColumn("appending"), BarColumn(), TextColumn("{task.fields[events]} events"), TimeElapsedColumn())
    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size or None, events=0)
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            done += count
            progress.update(task, completed=file.tell() if size else None, events=done)

        yield advance
