"""The read models are kept: in any batching, after any failure, from nothing again, for many threads at once."""

import threading

import pytest

from projections import runner as runners
from projections.answers import Answers
from projections.facts import Moment
from projections.runner import Runner
from projections.tables import Tables
from tests.projections.story import MemoryRecord, Story


def tell(story, count=60):
    """Three services, in turn, some of it late and some corrected."""
    for number in range(count):
        story.at(f"{9 + number // 60:02}:{number % 60:02}").deployed(f"v{number % 7}", service=f"s{number % 3}")
        if number % 10 == 5:
            story.at("08:30", recorded=f"{9 + number // 60:02}:{number % 60:02}").deployed("late", service="s1")
        if number % 10 == 7:
            story.corrected(story.record.head() - 3, "version", "corrected")
        if number % 20 == 9:
            story.configured(soak_minutes=number)
    return story


def replies(answers, record):
    """Everything that is answered of every slot now."""
    with answers.at(Moment(record.events[-1].recorded_at, record.head(), now=True)) as reader:
        found, rest = reader.slots({}, None, 1000)
        assert rest is None
        return found, [reader.history(each["service"], each["environment"], None, 1000) for each in found]


class Limited(MemoryRecord):
    """A record of which only the beginning is there yet."""

    limit = 0

    def head(self):
        return min(self.limit, super().head())


class Broken(Exception):
    """What a fold raises here."""


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_any_batching_gives_the_same_answers(story, tmp_path, monkeypatch, size):
    """One event at a time, or all at once."""
    tell(story)
    story.moment()
    monkeypatch.setattr(runners, "BATCH", size)
    other = Answers(story.record, tmp_path / "other")
    other.runner.catch_up()
    assert replies(other, story.record) == replies(story.answers, story.record)
    other.tables.close()


@pytest.mark.parametrize("size", [1, 1000])
def test_a_day_of_a_source_begins_with_its_first_event_in_any_batching(story, tmp_path, monkeypatch, size):
    """Also where its last one is retracted and brought back, and so is heard a second time."""
    for number in range(6):
        story.at("09:00").deployed(f"v{number}")
    story.retracted(story.retracted(6))
    monkeypatch.setattr(runners, "BATCH", size)
    other = Answers(story.record, tmp_path / "other")
    other.runner.catch_up()
    assert [row["position"] for row in other.tables.db["source_days"].rows] == [1]
    other.tables.close()


def test_catching_up_goes_on_where_it_stopped(story, tmp_path):
    """Nothing is taken twice, in this process or the next."""
    tell(story)
    record = Limited(story.record.events)
    for limit in (10, 10, 25, 66):
        record.limit = limit
        answers = Answers(record, tmp_path / "other")
        assert answers.runner.catch_up() == answers.reached == answers.tables.position() == limit
        answers.tables.close()
    record.limit = story.record.head()
    answers = Answers(record, tmp_path / "other")
    answers.runner.catch_up()
    story.moment()
    assert replies(answers, story.record) == replies(story.answers, story.record)
    answers.tables.close()


def test_deleting_the_file_and_starting_again_rebuilds_it(tmp_path):
    """Read models are disposable."""
    story = tell(Story(tmp_path / "models"))
    story.moment()
    before = replies(story.answers, story.record)
    story.close()
    story.answers.tables.path.unlink()
    again = Answers(story.record, tmp_path / "models")
    assert again.reached == 0
    again.runner.catch_up()
    assert replies(again, story.record) == before
    again.tables.close()


def test_progress_is_told(story, monkeypatch):
    """After each batch: the position reached, and where the record ends."""
    tell(story, 20)
    monkeypatch.setattr(runners, "BATCH", 10)
    told = []
    story.answers.runner.catch_up(lambda done, of: told.append((done, of)))
    head = story.record.head()
    assert told == [(10, head), (20, head), (head, head)]


def test_a_fold_that_fails_stops_at_a_known_position_and_leaves_nothing_half_done(story, monkeypatch):
    """Rows and position move in one transaction."""
    tell(story, 20)
    story.moment()
    before = replies(story.answers, story.record)
    reached = story.answers.reached
    tell(story, 5)
    bad = story.deployed("bad")
    take = runners.Folded.take

    def fail(self, stream, fact):
        if fact.position == bad:
            raise Broken
        take(self, stream, fact)

    monkeypatch.setattr(runners.Folded, "take", fail)
    with pytest.raises(Broken):
        story.answers.runner.catch_up()
    assert story.answers.reached == story.answers.tables.position() == reached
    assert replies(story.answers, MemoryRecord(story.record.events[:reached])) == before
    monkeypatch.setattr(runners.Folded, "take", take)
    story.answers.runner.catch_up()
    assert story.answers.reached == bad
    assert story.current() == "bad"


def test_a_fold_that_fails_is_told_by_the_running_runner(story, monkeypatch, caplog):
    """Loudly, at a known position; nothing is skipped, and who waits is not told a lie."""
    story.at("09:00").deployed("A")
    story.moment()
    story.at("10:00").deployed("B")

    def fail(_self, _stream, _fact):
        raise Broken("does not fold")

    monkeypatch.setattr(runners.Folded, "take", fail)
    story.answers.start()
    story.answers.runner._thread.join(timeout=30)
    assert not story.answers.wait(2, timeout_s=0.01)
    assert story.answers.runner.failure == (1, "Broken: does not fold")
    assert "stopped after position 1" in caplog.text


def test_a_running_runner_takes_in_what_it_is_woken_for(story, monkeypatch):
    """Without waiting for its next look, which here would be in an hour."""
    monkeypatch.setattr(runners, "POLL_S", 3600)
    story.answers.start()
    for number in range(5):
        story.at(f"09:0{number}").deployed(f"v{number}")
        story.answers.wake()
        assert story.answers.wait(number + 1, timeout_s=30)
    story.answers.runner.stop()


def test_a_running_runner_looks_by_itself(story, monkeypatch):
    """Another process may have written."""
    monkeypatch.setattr(runners, "POLL_S", 0.01)
    story.answers.start()
    story.at("09:00").deployed("A")
    assert story.answers.wait(1, timeout_s=30)
    story.answers.runner.stop()


def test_who_waits_for_a_position_gets_it_or_is_told_that_it_is_not_there(story):
    """`at_least`: one always reads one's own writes."""
    story.at("09:00").deployed("A")
    assert not story.answers.wait(1, timeout_s=0.01)
    story.moment()
    assert story.answers.wait(1, timeout_s=0.01)
    assert story.answers.wait(0, timeout_s=0.01)
    assert not story.answers.wait(2, timeout_s=0.01)


def test_many_wait_and_each_is_woken_by_its_own_position(story):
    """In whatever order they ask."""
    record = story.record
    tell(story, 20)
    head = record.head()
    seen = {}

    def reader(position):
        seen[position] = story.answers.wait(position, timeout_s=30)

    threads = [threading.Thread(target=reader, args=(position,)) for position in range(head, 0, -1)]
    for each in threads:
        each.start()
    story.answers.start()
    story.answers.wake()
    for each in threads:
        each.join()
    story.answers.runner.stop()
    assert seen == dict.fromkeys(range(1, head + 1), True)


def test_two_threads_that_catch_up_at_once_do_the_work_once(story):
    """One at a time, and each returns where it ended."""
    tell(story, 60)
    reached = []
    threads = [threading.Thread(target=lambda: reached.append(story.answers.runner.catch_up())) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert reached == [story.record.head()] * 2
    positions = story.answers.event_positions({}, 0, 10**6, 10**6)
    assert positions == list(range(1, story.record.head() + 1))
    rows = story.answers.tables.db.execute("SELECT COUNT(*) FROM search WHERE version = 'v0'").fetchone()[0]
    assert rows == sum(getattr(each.event, "version", None) == "v0" for each in story.record.events)


def test_readers_see_whole_batches_while_the_runner_writes(story):
    """Everything read in one snapshot is of one position."""
    for number in range(200):
        story.at(f"{9 + number // 60:02}:{number % 60:02}")
        story.deployed(f"v{number}", service="one")
        story.deployed(f"v{number}", service="two")
    record = Limited(story.record.events)
    answers = Answers(record, story.folder / "shared")
    answers.start()
    torn, seen = [], set()

    def read():
        while answers.reached < 400:
            with answers.at(Moment(story.clock, 0, now=True)) as reader:
                one, two = (reader.slot(each, "production") for each in ("one", "two"))
                seen.add(reader.moment.known_at)
                if (one and one["current"]["version"]) != (two and two["current"]["version"]):
                    torn.append(reader.moment.known_at)
        answers.tables.close()

    thread = threading.Thread(target=read)
    thread.start()
    for limit in range(2, 401, 2):
        record.limit = limit
        answers.wake()
        assert answers.wait(limit, timeout_s=30)
    thread.join()
    answers.stop()
    assert torn == []
    assert seen


def test_what_was_read_in_a_snapshot_stays_while_the_runner_goes_on(story):
    """A reply is of one position, however long it takes."""
    story.at("09:00").deployed("A")
    story.moment()
    with story.answers.at(Moment(story.clock, 0, now=True)) as reader:
        assert reader.slot("web", "production")["current"]["version"] == "A"
        story.at("10:00").deployed("B")
        writer = threading.Thread(target=story.answers.runner.catch_up)
        writer.start()
        writer.join()
        assert story.answers.reached == 2
        assert reader.slot("web", "production")["current"]["version"] == "A"
        assert reader.slot("web", "production")["known_at"] == 1
    assert story.current() == "B"


def test_each_process_has_read_models_of_its_own_and_they_agree(story, tmp_path):
    """Two sets over one record."""
    tell(story)
    others = [Runner(story.record, Tables(tmp_path / name)) for name in ("one", "two")]
    for each in others:
        each.catch_up()
    dumps = [list(each.tables.db.query("SELECT stream, state FROM scopes ORDER BY stream")) for each in others]
    assert dumps[0] == dumps[1]
    for each in others:
        each.tables.close()
