"""A report in words: its sections in order, nothing empty, each figure led to its definition and its positions."""

import resource

import pytest

from api.report import csv, html, markdown, pdf, words, words_record, words_release, words_said, words_timeline
from api.report.blocks import Facts, Figure, Heading, Link, Ref, Row, Table, Tiles, anchors, plain
from tests.projections.reporting import BOB, told
from tests.projections.story import Story


@pytest.fixture
def story(tmp_path):
    told_ = Story(tmp_path / "models", "checkout")
    yield told_
    told_.close()


CORRECTED = {"field": "reason", "value": "read twice", "reason": "more was said"}


def _spans(block):
    return getattr(block, "spans", ())


def whole(story):
    """Every step, every section, something of everything."""
    story.at("08:00").deployed("A")
    story.at("09:30").approved("B", by=BOB)
    story.at("09:32").deployed("B")
    story.at("09:40").impact_started("INC-1", basis="judgement")
    story.at("09:44").add("alert.fired", fingerprint="f", name="5xx", service="checkout", environment="production")
    story.at("09:45").detected("INC-1", "SEV-1", alerts=["f"])
    story.at("09:47").declared("INC-1", "SEV-1", decided_by="Priya Nair")
    story.at("09:48").acknowledged("INC-1", decided_by="Priya Nair")
    story.at("09:49").add("incident.role_assigned", incident="INC-1", role="commander", person="Priya Nair")
    story.at("09:52").decided("A", "RB-1", incident="INC-1", decided_by="Priya Nair", reason="errors grow")
    story.at("09:56").rolled_back("A", "RB-1")
    story.at("09:58").impact_ended("INC-1", basis="log")
    story.at("09:59", recorded="10:40").add("incident.note_added", BOB, incident="INC-1", text="Priya Nair saw it")
    story.at("10:05").rollback_verified("RB-1", decided_by="Priya Nair")
    story.at("10:08").implicated("INC-1", "B", by=BOB)
    story.at("10:10").resolved("INC-1")
    story.at("11:00").add("postmortem.started", incident="INC-1", owner="Priya Nair")
    for section in (
        "summary",
        "root_cause",
        "went_well",
        "went_badly",
        "lucky",
        "lessons",
        "customer_message",
        "aside",
    ):
        story.add(
            "postmortem.section_written", incident="INC-1", section=section, text=f"What we wrote of *{section}*."
        )
    story.add("postmortem.cause_recorded", incident="INC-1", statement="B leaks", kind="root", category="leak")
    action = {"action_id": "A1", "text": "close it", "kind": "prevent", "owner": "Priya Nair", "due": "2026-03-01"}
    story.add("postmortem.action_added", incident="INC-1", **action)
    story.add(
        "incident.classified", incident="INC-1", regime="DORA", classification="major", criteria={}, reason="many"
    )


def document(story, **how):
    return words.document(told(story, **how))


def headings(found, level=2):
    return [each.text for each in found.blocks if isinstance(each, Heading) and each.level == level]


def every_span(found):
    """Of the tables, facts and paragraphs."""
    for block in found.blocks:
        if isinstance(block, Table):
            yield from (span for row in rows(block.rows) for cell in row.cells for span in cell)
        elif isinstance(block, Facts):
            yield from (span for pair in block.rows for spans in pair for span in spans)
        else:
            yield from getattr(block, "spans", ())


def rows(found: tuple[Row, ...]):
    for each in found:
        yield each
        yield from each.folded


def table(found, label):
    return next(each for each in found.blocks if isinstance(each, Table) and each.label == label)


def test_sections_come_in_the_order_in_which_they_are_read(story):
    """From the summary to what the figures mean."""
    whole(story)
    assert headings(document(story)) == [
        "Summary",
        "Figures",
        "Timeline",
        "Releases",
        "Impact",
        "Severity",
        "Detection",
        "Response",
        "What was done about it",
        "Causes",
        "What went well",
        "What went badly",
        "Where we were lucky",
        "Decisions",
        "Actions",
        "Lessons",
        "Aside",
        "Message to customers",
        "Reports to authorities",
        "Findings",
        "About the data",
        "Appendix: every event",
        "What the figures mean",
    ]


def test_an_incident_of_one_entry_makes_a_report_without_empty_sections(story):
    """What is not there is not shown; that its impact is not recorded is said."""
    story.at("10:00").add("incident.note_added", incident="INC-1", text="the site feels slow")
    found = document(story)
    assert headings(found)[:3] == ["Summary", "Timeline", "Impact"]
    assert not {"Decisions", "What the figures mean"} & set(headings(found))
    assert not [each for each in found.blocks if isinstance(each, Figure | Tiles)]
    assert not [each for each in found.blocks if isinstance(each, Table) and not each.rows]
    assert "When customers felt it is not recorded." in markdown.render(found).decode()


def test_each_figure_leads_to_its_definition_and_to_its_positions(story):
    """And every link within leads somewhere."""
    whole(story)
    found = document(story)
    places = set(anchors(found.blocks))
    for row in table(found, "Measures").rows:
        (label,) = row.cells[0]
        assert isinstance(label, Link)
        assert label.target.removeprefix("#") in places
        sources = [span.positions for cell in row.cells[2:] for span in cell if isinstance(span, Ref)]
        assert len(sources) == 2
        assert all(len(each) == 1 for each in sources)
    tiles = next(each for each in found.blocks if isinstance(each, Tiles))
    assert all(each.target is not None and each.target[1:] in places for each in tiles.tiles)
    for span in every_span(found):
        if isinstance(span, Ref):
            assert {f"p-{each}" for each in span.positions} <= places
        if isinstance(span, Link) and span.target.startswith("#"):
            assert span.target[1:] in places


def test_each_printed_time_bears_its_zone(story):
    """Whichever zone it is read in."""
    whole(story)
    found = document(story, zone="Europe/Vienna")
    times = [plain(row.cells[0]) for row in table(found, "Timeline").rows]
    assert times[0] == "2026-03-02 09:00 CET"
    assert all(each.endswith(" CET") for each in times)


def test_missing_measures_are_named_and_never_guessed(story):
    """Those that there are stand in the table."""
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:30").resolved("INC-1")
    text = markdown.render(document(story)).decode()
    assert [plain(row.cells[0]) for row in table(document(story), "Measures").rows] == ["Time to resolve"]
    assert "Not recorded, and never estimated here: [time to detect](#means-time-to-detect)" in text


def test_what_came_late_and_what_is_estimated_is_marked(story):
    """Beside the time that it is about."""
    whole(story)
    text = markdown.render(document(story)).decode()
    assert "recorded 41 min later" in text
    assert "**18 min** **estimated**" in text


def test_a_rollback_says_whether_it_was_carried_out_and_helped(story):
    """Decided, live and helped are three different things."""
    whole(story)
    text = markdown.render(document(story)).decode()
    assert "It was carried out, and its version was live. Impact ended 2 min after that." in text
    assert "A person verified that it helped." in text


@pytest.mark.parametrize("form", [markdown, html])
def test_in_public_there_is_no_name_in_any_format(story, form):
    """Roles stand for people."""
    whole(story)
    assert "Priya" in form.render(document(story, audience="internal")).decode()
    content = form.render(document(story, audience="public")).decode()
    assert "Priya" not in content
    assert "Nair" not in content
    assert "commander" in content


@pytest.mark.parametrize("audience", ["internal", "public", "auditor"])
@pytest.mark.parametrize("form", [markdown, html])
def test_a_report_with_corrections_and_retractions_is_for_every_audience(story, form, audience):
    """In public without what had been said, and why it was not so."""
    whole(story)
    story.at("12:00").add("record.corrected", position=6, field="title", value="5xx at the till", reason="hasty words")
    story.at("12:01").retracted(13, reason="another incident's")
    content = form.render(document(story, audience=audience)).decode()
    assert "Corrected" in content
    assert ("Retracted" in content) == (audience != "public")
    assert ("hasty words" in content) == (audience != "public")


def test_the_timeline_is_of_the_incident_and_not_of_its_postmortem(story):
    """What was written has its own sections; that it was is said once. What was corrected of it is told all the same."""
    whole(story)
    story.add("record.corrected", position=story.add("postmortem.reviewed", incident="INC-1"), **CORRECTED)
    found = document(story)
    said = [plain(each.cells[2]) for each in rows(table(found, "Timeline").rows)]
    assert [each for each in said if "postmortem" in each] == [each for each in said if "reviewed" in each]
    (written,) = [plain(each.spans) for each in found.blocks if "The postmortem was written" in plain(_spans(each))]
    assert "in 11 events from" in written


def test_what_speaks_against_a_candidate_does_not_speak_for_it():
    """Reasons are kept for and against together; here each stands on one side."""
    soaked = {"code": "soaked", "detail": "live here for 16 h", "position": 4}
    unchecked = {"code": "not_checked", "detail": "nobody looked whether it can be had", "position": None}
    candidate = {"version": "A", "reasons": [soaked, unchecked], "blockers": [], "warnings": [unchecked]}
    (found,) = words_release.alternatives([candidate]).rows
    assert [plain(each) for each in found.cells[1:]] == [soaked["detail"], unchecked["detail"]]


def test_a_retracted_entry_stays_and_says_so(story):
    """With where that is said."""
    whole(story)
    story.at("12:00").retracted(13, reason="it was another incident")
    row = next(each for each in table(document(story), "Timeline").rows if plain(each.cells[3]) == "13")
    assert row.tone == "void"
    assert "retracted: it was another incident" in plain(row.cells[2])


def busy(story, entries):
    """An incident of so many entries over three days."""
    story.at("00:00").deployed("1.0")
    story.at("01:00").impact_started("INC-1")
    story.at("01:10").declared("INC-1", "SEV-2")
    for number in range(entries - 5):
        minute = 80 + number * 10 - number % 3
        story.at(f"+{minute // 1440}d {minute % 1440 // 60:02}:{minute % 60:02}")
        story.add("incident.note_added", BOB, incident="INC-1", text=f"note {number}: looked at the dashboards again")
    story.at("+2d 22:00").impact_ended("INC-1")
    story.at("+2d 22:30").resolved("INC-1")


def seconds():
    """Of work, by this process and those that it waited for; what others do on the machine does not count."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def test_an_incident_of_400_entries_is_a_report_in_under_two_seconds(story):
    """In every format, the model included."""
    busy(story, 400)
    begun = seconds()
    model = told(story)
    modelled = seconds() - begun
    assert len(model["timeline"]) == 400
    for render in (markdown.render, html.render, pdf.render):
        begun = seconds()
        assert len(render(words.document(model))) > 10_000
        assert modelled + seconds() - begun < 2
    assert csv.render(model).count(b"\r\n") == 401


def test_a_long_timeline_is_folded_and_key_moments_stay(story):
    """By minute and by who; what is folded is counted, and its entries are there on demand."""
    story.at("10:00").declared("INC-1", "SEV-2")
    for _ in range(70):
        story.at("10:30").add("incident.note_added", BOB, incident="INC-1", text="hm")
    story.at("11:00").resolved("INC-1")
    found = table(document(story), "Timeline").rows
    assert [each.tone for each in found] == ["key", "group", "key"]
    assert plain(found[1].cells[2]) == "70 events: 70 \u00d7 incident note added"
    assert len(found[1].folded) == 70
    assert "<details><summary>show all 70</summary>" in html.render(document(story)).decode()


def test_the_same_report_is_the_same_bytes_whenever_it_is_made(story):
    """As of yesterday, asked for today."""
    whole(story)
    before = [form.render(document(story, as_of="10:30")) for form in (markdown, html, pdf)]
    story.at("+1d 10:00").add("incident.note_added", incident="INC-1", text="later")
    assert [form.render(document(story, as_of="10:30")) for form in (markdown, html, pdf)] == before


def test_of_a_great_many_events_the_first_are_told_and_the_others_counted(story, monkeypatch):
    """Nobody reads more on paper; what is left out is said, and no link leads to it."""
    for module in (words_said, words_timeline, words_record):
        monkeypatch.setattr(module, "MOST_ROWS", 10)
    busy(story, 30)
    found = document(story)
    assert len(table(found, "Timeline").rows) == len(table(found, "Every event").rows) == 10
    text = markdown.render(found).decode()
    assert text.count("and 20 more, which the JSON has") == 2
    assert "#p-10)" in text
    assert "#p-11)" not in text


def test_what_is_cut_or_runs_backwards_turns_none_of_our_words_around():
    """A text that says so is kept apart from what stands beside it."""
    assert words_said.short("a\n b" * 3, 5) == "a ba \u2026 (4 more characters)"
    assert words_said.short("\u202eabc") == "\u2068\u202eabc\u2069"
    assert words_said.short("\u202eabc", 2) == "\u2068\u202ea\u2069\u2026 (2 more characters)"
    assert words_said.short(None) == "not recorded"


def test_of_two_rollbacks_no_bar_reaches_from_a_step_of_one_to_a_step_of_the_other(story):
    """The first was carried out and did not help, the second was verified: each figure says of which it is."""
    for number, version in enumerate("ABC"):
        story.at(f"0{number + 6}:00").deployed(version)
    story.at("10:00").declared("INC-1", "SEV-1")
    for version, minute, judged in (("B", 10, story.rollback_ineffective), ("A", 30, story.rollback_verified)):
        story.at(f"10:{minute}").decided(version, f"RB-{version}", incident="INC-1")
        story.at(f"10:{minute + 5}").rolled_back(version, f"RB-{version}")
        story.at(f"10:{minute + 12}")
        judged(f"RB-{version}")
    found = document(story)
    strip, *_ = [each for each in found.blocks if isinstance(each, Figure)]
    assert "Time to execute 5 min" in strip.picture.alt
    assert "Time to verify" not in strip.picture.alt
    assert plain(strip.caption).endswith("told below: time to verify.")
    told_of = [plain(each.cells[0]) for each in table(found, "Measures").rows]
    assert told_of == ["Time to decide", "Time to execute (rollback to B)", "Time to verify (rollback to A)"]
    (tiles,) = [each for each in found.blocks if isinstance(each, Tiles)]
    assert plain(next(each.note for each in tiles.tiles if each.label == "Time to execute")) == "rollback to B"


def test_the_public_is_not_told_what_is_owed_within_the_house(story):
    """Nor that the commander was commanded by the commander."""
    story.at("09:00").declared("INC-1", "SEV-1")
    story.at("09:01").add("incident.role_assigned", incident="INC-1", role="commander", person="Priya Nair")
    story.at("10:00").resolved("INC-1")
    story.at("+9d 10:00").add("incident.note_added", incident="INC-1", text="hm")
    inside, outside = (document(story, audience=each) for each in ("internal", "public"))
    assert "commander Priya Nair" in plain(inside.subtitle)
    assert "commander" not in plain(outside.subtitle)
    assert "was due by" in markdown.render(inside).decode()
    assert "was due by" not in markdown.render(outside).decode()


def test_a_cancelled_incident_says_so_before_anything_else(story):
    """And nobody misses a commander or a rollback in it."""
    story.at("10:00").declared("INC-1", "SEV-2")
    story.at("10:30").incident_cancelled("INC-1", reason="a false alarm.")
    text = markdown.render(document(story)).decode()
    assert "**Incident report** \u00b7 cancelled \u00b7 SEV-2" in text
    assert "> This incident was cancelled: a false alarm. It is counted nowhere." in text
    assert "production; it was cancelled 30 min after its declaration." in text
    assert "in command" not in text
    assert "asks for" not in text


def test_a_merged_incident_says_where_it_went(story):
    """Nobody resolves it; and others that are like it are told with what sets them apart."""
    story.at("09:00").declared("INC-9", "SEV-3", mode="drill")
    story.at("10:00").declared("INC-2", "SEV-2", title="the whole")
    story.at("10:10").declared("INC-1", "SEV-3", title="a part")
    story.at("10:20").merged("INC-1", "INC-2", reason="the same")
    text = markdown.render(document(story)).decode()
    assert "This incident was merged into INC-2: see its report. It is counted with that one." in text
    assert "production; it was merged into INC-2 10 min after its declaration." in text
    assert "`INC-9` as told, SEV-3, drill, began" in text
    story.at("11:00").declared("INC-3", "SEV-3", title="later")
    others = markdown.render(words.document(told(story, "INC-3"))).decode()
    assert "`INC-1` a part, SEV-3, merged into another, began" in others


def test_late_events_are_counted_once(story):
    """Those of the incident and those around it together, not each by themselves without saying so."""
    story.at("09:00", recorded="12:00").deployed("A")
    story.at("10:00").declared("INC-1", "SEV-1")
    text = markdown.render(document(story)).decode()
    about = text[text.index("## About the data") : text.index("## Appendix")]
    assert about.count("came late") == 1
    assert "2 events of the incident and around it came late" in about


def test_what_was_merged_much_later_is_told_apart(story):
    """It is no key moment of this incident, and lies outside of its picture, which says so."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:05").mitigated("INC-1")
    story.at("10:20").acknowledged("INC-1")
    story.at("10:30").resolved("INC-1")
    story.at("+9d 10:00").declared("INC-2", "SEV-3", title="the same again")
    story.at("+9d 10:05").merged("INC-2", "INC-1", reason="the same")
    found = document(story)
    figure = next(each for each in found.blocks if isinstance(each, Figure) and "one scale" in plain(each.caption))
    assert plain(figure.caption).endswith("2 events before or after that stand in the table alone.")
    assert [each.tone for each in table(found, "Timeline").rows] == ["key"] * 4 + ["plain"] * 2
    assert plain(table(found, "Timeline").rows[-1].cells[2]).endswith(" of INC-2")


def test_a_measure_that_contradicts_itself_is_marked(story):
    """It stays as it was recorded, and nobody takes it for a slip of ours."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").detected("INC-1")
    found = document(story)
    (measure,) = table(found, "Measures").rows
    assert plain(measure.cells[1]) == "\u221210 min negative: it ended before it began"
    (tiles,) = [each for each in found.blocks if isinstance(each, Tiles)]
    assert plain(tiles.tiles[0].note) == "negative"


def test_what_a_severity_asked_for_is_told_in_whole_sentences(story):
    """What was chosen instead, and that nothing is recorded where it is not."""
    story.at("08:00").deployed("A")
    story.at("08:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-3")
    story.at("10:02").decided("A", "RB-1", incident="INC-1", reason="it is quick")
    text = markdown.render(document(story)).decode()
    asked = "SEV-3 asked for: no rollback; fix in the next release. Chosen was: rollback. Reason: it is quick."
    assert f"> {asked}" in text
    story.at("11:00").declared("INC-2", "SEV-1")
    story.at("11:30").resolved("INC-2")
    other = markdown.render(words.document(told(story, "INC-2"))).decode()
    assert "asks for: roll back at once, no debate. No decision on that is recorded. The clock began" in other
    assert "Chosen was" not in other


def test_a_severity_that_lasts_is_told_as_so_far(story):
    """Like the impact; one that is over is not."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:20").severity_changed("INC-1", "SEV-1", "SEV-2")
    story.at("10:30").add("incident.note_added", incident="INC-1", text="still slow")
    said = "SEV-1 for 20 min, SEV-2 for 10 min"
    assert f"{said} so far." in markdown.render(document(story)).decode()
    story.resolved("INC-1")
    assert f"{said}." in markdown.render(document(story)).decode()


def test_moments_in_the_ledgers_words_are_told_in_the_zone_of_the_report(story):
    """As every other time in it; what only looks like a moment stays."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:10").detected("INC-1")
    text = markdown.render(document(story, zone="Asia/Tokyo")).decode()
    assert "- Detected at 2026-03-02 19:10 JST, declared at 2026-03-02 19:00 JST.<sup>" in text
    said = words_said.Said({"zone": "UTC"})
    assert said.retold("at 2026-03-02T10:00:00Z") == "at 2026-03-02 10:00 UTC"
    strange = "at 2026-02-31T10:00:00Z, 0000-01-01T00:00:00Z, 2026-03-02T10:00:60Z"
    assert said.retold(strange) == strange


def test_a_rollback_that_was_called_off_helped_nobody_and_nobody_asks(story):
    """Only of what was live, or out, could anybody say whether it helped."""
    story.at("08:00").deployed("A")
    story.at("08:30").deployed("B")
    story.at("10:00").declared("INC-1", "SEV-1")
    story.at("10:02").decided("A", "RB-1", incident="INC-1")
    story.at("10:03").rollback_cancelled("RB-1", reason="fix forward")
    story.at("10:30").resolved("INC-1")
    story.at("11:00").reopened("INC-1")
    text = markdown.render(document(story)).decode()
    assert "> It was called off before it was carried out.<sup>" in text
    assert "whether it helped" not in text
    assert "**State**: declared, reopened once" in text


def test_an_impact_that_goes_on_is_told_so(story):
    """Its end is not missing: it is still to come."""
    story.at("10:00").declared("INC-1", "SEV-1")
    story.impact_started("INC-1")
    (window,) = table(document(story), "Windows of impact").rows
    assert plain(window.cells[2]) == "still so"
    story.at("11:00").resolved("INC-1")
    (window,) = table(document(story), "Windows of impact").rows
    assert plain(window.cells[2]) == "not recorded"
