"""Whatever can be recorded verifies: as a record, and as evidence of it."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access import command as access_command
from ledger import verify
from ledger.errors import LedgerError
from ledger.events import LEDGER, Event
from ledger.evidence import Asked
from ledger.verify_record import verify_record
from tests.ledger.record_scene import SealedRecord
from tests.ledger.scene import AN_ADMIN, draft, outcome
from tests.strategies import events, times

FILTERS = ("service", "environment", "version", "incident")


def record(into: SealedRecord, event: Event, time: str | None) -> None:
    """Unless it is refused, as what refers to nothing is."""
    into.clock.move(milliseconds=7)
    if event.WHO is LEDGER:
        into.ledger.record([access_command(into.ledger, event, AN_ADMIN)])
    else:
        assert isinstance(outcome(into.ledger, draft(event, time=time)), list | LedgerError)


def questions(given: list[Event]) -> st.SearchStrategy[Asked]:
    """With filters that some of the events match."""
    said = {name: sorted({getattr(each, name, None) or "" for each in given} - {""}) for name in FILTERS}
    filters = {name: st.sampled_from(values) for name, values in said.items() if values}
    filters |= {"since": times(), "until": times(), "type": st.sampled_from([each.TOPIC for each in given])}
    return st.builds(
        Asked,
        st.fixed_dictionaries({}, optional=filters),
        first=st.integers(1, 3),
        complete=st.booleans(),
        words=st.booleans(),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_is_recorded_verifies(data):
    """Every type, awkward texts, floats, foreign JSON, all offsets; every question about it."""
    given_events = data.draw(st.lists(events(), min_size=1, max_size=12))
    with TemporaryDirectory() as folder:
        made = SealedRecord(Path(folder) / "data")
        try:
            for event in given_events:
                record(made, event, data.draw(st.none() | times()))
            if made.ledger.head() < 3:
                return
            made.seal()
            bundle = made.bundle(data.draw(questions(given_events)))
            report = verify.verify(io.BytesIO(bundle), map(verify.parse_key, made.vkeys()))
            assert report.differences == []
        finally:
            made.close()
        assert verify_record(made.folder, made.log).differences == []
