"""
How drafts reach the ledger, or the spool where it is out of reach.

Promises that a draft is either recorded, kept on disk, or told to be lost by
the exit code; and that `--best-effort` silences the last two and nothing else.
What was sent on a condition is never kept: sent later, it would be decided
against another state.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import click

from api.cli import show
from api.cli.client import Client
from api.cli.drafts import Draft, ndjson
from api.cli.exits import Conflict, IdOfAnother, Spooled, Stopped, Unreachable
from api.cli.spool import Spool


@dataclass(slots=True)
class Delivery:
    client: Client
    spool: Spool | None = None
    best_effort: bool = False
    expected_revision: int | None = None
    strict: bool = False
    sealed: bool = False
    """Whether to wait for receipts with proof."""
    kept: int = 0
    """How many events went to the spool."""
    _down: Unreachable | None = field(default=None, init=False)

    def one(self, draft: Draft) -> dict[str, Any]:
        """The receipt of *draft*. Raises `Spooled`, `Unreachable`, or what the ledger said against it."""
        headers = {} if self.expected_revision is None else {"If-Match": f'"{self.expected_revision}"'}
        try:
            return _post(self.client, draft.text, headers, self._query())
        except Unreachable as error:
            self._keep([draft], error)
            raise self.told() from None

    def many(self, batch: Sequence[Draft]) -> dict[str, Any] | None:
        """The ledger's answer to *batch*; None where it went to the spool. Once out of reach, it is not tried again."""
        if self._down is None:
            try:
                answer: dict[str, Any] = self.client.post(
                    "/v1/events", ndjson(batch), "application/x-ndjson", query=self._query()
                )
            except Unreachable as error:
                self._down = error
            else:
                return answer
        self._keep(batch, self._down)
        return None

    def again(self, batch: Sequence[Draft]) -> list[dict[str, Any]]:
        """The receipts of a batch that is recorded already, asked for once more. Nothing is spooled."""
        answer = self.client.post("/v1/events", ndjson(batch), "application/x-ndjson", query=self._query())
        receipts: list[dict[str, Any]] = answer["receipts"]
        return receipts

    def told(self) -> Spooled:
        folder = self.spool.folder if self.spool else None
        return Spooled(
            f"the ledger could not be reached; {show.counted(self.kept, 'event')} kept in {folder}",
            f"once it is back: lastgood flush --spool {folder}",
        )

    @contextmanager
    def effort(self) -> Iterator[None]:
        """Turns what 6 and 7 say into a loud line where `--best-effort` was asked for."""
        try:
            yield
        except (Spooled, Unreachable) as error:
            if not self.best_effort:
                raise
            loudly("SPOOLED, NOT YET RECORDED" if isinstance(error, Spooled) else "NOT RECORDED", error)

    def _query(self) -> dict[str, str]:
        return ({"strict": "true"} if self.strict else {}) | ({"wait": "sealed"} if self.sealed else {})

    def _keep(self, batch: Sequence[Draft], error: Unreachable) -> None:
        if self.strict or self.expected_revision is not None:
            raise Unreachable(f"{error.message}; not spooled, since it was sent on a condition", error.advice)
        if self.spool is None:
            raise Unreachable(f"{error.message}; not recorded", f"{error.advice}; --spool DIR keeps events meanwhile")
        try:
            self.spool.put([draft.stamped().text for draft in batch])
        except OSError as failed:
            raise Unreachable(
                f"{error.message}; and the spool {self.spool.folder} cannot be written to: {failed.strerror}",
                "give --spool a folder that can be written to",
            ) from None
        self.kept += len(batch)


def loudly(outcome: str, error: Stopped) -> None:
    click.echo(f"lastgood: WARNING: {outcome}: {error.message}", err=True)
    if error.advice:
        click.echo(f"  next: {error.advice}", err=True)


def resend(client: Client, event: bytes) -> dict[str, Any]:
    """
    The receipt of an event from the spool.

    The spool gave it a time if it had none. Should its first sending have
    been recorded after all, with only the reply lost, it is recorded without
    that time; so a conflict is checked once without: that is either an
    identical duplicate, or again a conflict, and records nothing new.
    """
    try:
        return _post(client, event)
    except IdOfAnother:
        raise
    except Conflict as conflict:
        untimed = json.loads(event)
        if untimed.pop("time", None) is None:
            raise
        try:
            return _post(client, json.dumps(untimed).encode())
        except Conflict:
            raise conflict from None


def _post(
    client: Client, event: bytes, headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """
    The receipt of an event. Where somebody else has recorded another one under
    its id, it is recorded under an id that they can't have taken: the same
    each time, so that a step that is retried records it once.
    """
    receipt: dict[str, Any]
    try:
        receipt = client.post("/v1/events", event, "application/json", headers, query)
    except IdOfAnother as taken:
        given = json.loads(event)
        other = f"{given['id'][:1000]}-{client.mark(given['id'])}"
        renamed = json.dumps({**given, "id": other}).encode()
        receipt = client.post("/v1/events", renamed, "application/json", headers, query)
        click.echo(f"lastgood: WARNING: RECORDED UNDER ANOTHER ID, {show.plain(other)}: {taken.message}", err=True)
    return receipt
