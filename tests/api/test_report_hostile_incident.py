"""A whole report about an incident in which every word is hostile: from the record to each format."""

import csv
import io
import re

import pytest

from api.report import csv as csv_report
from api.report import words
from tests import foreign
from tests.api import report_scene as scene
from tests.api.test_report_hostile import HOSTILE, INVISIBLE, OURS
from tests.projections.reporting import BOB, told
from tests.projections.story import Story

ALL = {**HOSTILE, **INVISIBLE}
PICTURES = {"path", "text", "title", "colgroup", "col"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A report of an incident for each kind of hostile words, used for everything that can be named or written."""
    found = {}
    for name, words_ in ALL.items():
        story = Story(tmp_path_factory.mktemp("models"), words_[:200], "production")
        try:
            suffered(story, words_)
            found[name] = {audience: told(story, audience=audience) for audience in ("internal", "public")}
        finally:
            story.close()
    return found


def suffered(story, words_):
    place = {"service": words_[:200], "environment": "production"}
    story.at("08:00").deployed("A")
    story.at("09:30").deployed(words_[:256])
    story.at("09:40").impact_started("INC-1", window=words_[:256], level=words_, precision=words_)
    story.at("09:44").add("alert.fired", fingerprint=words_[:256], name=words_[:256], severity=words_[:256], **place)
    story.at("09:45").detected("INC-1", "SEV-1", title=words_, alerts=[words_[:256]], discovered_by=words_)
    story.at("09:47").declared("INC-1", "SEV-1", title=words_, decided_by=words_[:320])
    story.at("09:49").add("incident.role_assigned", incident="INC-1", role=words_[:256], person=words_[:320])
    story.at("09:52").decided("A", words_[:256], incident="INC-1", reason=words_, decided_by=words_[:320])
    evidence = [{"label": words_[:200], "url": "https://example.org/a?b=(c)"}]
    story.at("09:56").rolled_back("A", words_[:256], evidence=evidence)
    story.at("09:57").add("mitigation.applied", incident="INC-1", kind=words_[:256], text=words_)
    story.at("09:58").impact_ended("INC-1", window=words_[:256])
    story.at("09:58").add(
        "incident.impact_measured", incident="INC-1", measure=words_[:256], value=1, unit=words_[:256]
    )
    story.at("09:59").add("incident.note_added", BOB, incident="INC-1", text=words_, pinned=True)
    story.at("10:08").implicated("INC-1", words_[:256], by=BOB, reason=words_)
    story.at("10:09").add("incident.update_published", incident="INC-1", audience="customers", text=words_)
    story.at("10:10").resolved("INC-1", reason=words_)
    story.at("11:00").add("postmortem.started", incident="INC-1", owner=words_[:320])
    for section in ("summary", "root_cause", "went_well", words_[:200]):
        story.add("postmortem.section_written", incident="INC-1", section=section, text=words_)
    story.add("postmortem.cause_recorded", incident="INC-1", statement=words_, kind="root", category=words_[:256])
    action = {
        "action_id": words_[:256],
        "text": words_,
        "kind": "prevent",
        "owner": words_[:320],
        "ticket": words_[:256],
    }
    story.add("postmortem.action_added", incident="INC-1", **action)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("audience", ["internal", "public"])
def test_a_page_holds_nothing_but_our_tags(models, name, audience):
    """And leads nowhere that we did not mean, whatever a picture or a table was given."""
    page = scene.read_html(scene.FORMATS["html"](words.document(models[name][audience])))
    assert page.tags <= OURS | PICTURES
    assert not {each for each in page.attributes if each.startswith("on") or each in ("style", "src", "srcset")}
    outside = {each for each in page.addresses if each and not each.startswith("#")}
    assert all(re.match("https?://|mailto:", each) for each in outside)
    if audience == "internal":
        assert scene.squeezed(ALL[name]) in scene.squeezed("".join(page.text))


@pytest.mark.parametrize("name", ALL)
def test_markdown_makes_no_tag_of_it(models, name):
    """Nor more cells than there are columns."""
    made = scene.FORMATS["md"](words.document(models[name]["internal"])).decode()
    assert not {"script", "img", "svg", "style", "iframe", "b", "k"} & scene.read_markdown(made.encode()).tags
    for table in re.findall(r"(?:^\|.*\n)+", made, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_pdf_is_made_of_it(models, name):
    """Nothing in it stops typst, and nothing is run by it."""
    text = scene.read_pdf(scene.FORMATS["pdf"](words.document(models[name]["internal"])))
    if name in HOSTILE and name != "markdown":
        assert scene.squeezed(ALL[name]) in text
    assert "root:x:0" not in text


@pytest.mark.parametrize("name", ALL)
def test_docx_is_made_of_it(models, name):
    """The same words."""
    foreign.extra("pypandoc", "docx")
    text = scene.read_docx(scene.FORMATS["docx"](words.document(models[name]["internal"])))
    assert scene.squeezed(ALL[name]) in scene.squeezed(text)


@pytest.mark.parametrize("name", ALL)
def test_the_csv_calculates_nothing(models, name):
    """No cell begins as a formula does."""
    rows = list(csv.reader(io.StringIO(csv_report.render(models[name]["internal"]).decode(), newline="")))
    assert len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if re.match(r"[=+@\t\r]|-(?!\d)", cell)]
