"""
What a person who decides a rollback could see: current version and candidates, at that position.

The ledger keeps it with the decision. It asks while it holds the write lock,
so what it gets is of just the position before the decision.
"""

from collections.abc import Sequence

from ledger.application import Clock
from ledger.deciding import Sight
from ledger.errors import NotYet
from ledger.events import Recorded
from projections.answers import Answers
from projections.facts import Moment

PATIENCE_S = 2.0


class Sighted:
    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers, self._clock = answers, clock

    def look(self, service: str, environment: str, position: int, pending: Sequence[Recorded]) -> Sight:
        """
        A slot as known at a position, the last ones of which may be pending.

        Raises:
            NotYet: if the read models do not reach what is stored in time.
        """
        stored = position - len(pending)
        if not self._answers.wait(stored, PATIENCE_S):
            raise NotYet(stored, self._answers.reached)
        last = max((each.recorded_at for each in pending), default=self._clock.now())
        moment = Moment(max(last, self._clock.now()), position, now=not pending)
        with self._answers.foreseen(moment, pending) as reader:
            current, candidates = reader.sight(service, environment)
        return Sight(position, current, candidates)
