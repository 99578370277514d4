"""Where an artifact came from, where it ran, and whether it can still be had."""

from tests.projections.story import digest


def happened(reply):
    return [(each["service"], each["kind"]) for each in reply["happened"]]


def test_an_artifact_tells_where_it_came_from_where_it_ran_and_what_happened(story):
    """By its digest, over all slots of all services."""
    origin = story.at("08:00").published("A", digest=digest("1"), commit="0123abc", repository="https://example.org/r")
    story.at("09:00").deployed("A", digest=digest("1"), environment="staging")
    story.at("10:00").deployed("A", digest=digest("1"))
    story.at("11:00").deployed("B", digest=digest("2"))
    story.at("12:00").checked("A", True, digest=digest("1"))
    story.at("13:00").deleted("A", digest=digest("1"))
    reply = story.artifact("1")
    assert reply["digest"] == digest("1")
    [published] = reply["published"]
    assert (published["position"], published["version"], published["commit"]) == (origin, "A", "0123abc")
    assert published["time"] == "2026-03-02T08:00:00Z"
    assert happened(reply) == [("web", "checked"), ("web", "deleted")]
    ran = [(each["environment"], each["version"], each["from"], each["until"]) for each in reply["ran"]]
    assert sorted(ran) == [
        ("production", "A", "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"),
        ("staging", "A", "2026-03-02T09:00:00Z", None),
    ]


def test_an_artifact_that_nothing_names_has_no_answer(story):
    """Null, for 404."""
    story.at("09:00").deployed("A", digest=digest("1"))
    assert story.artifact("2") is None
    assert story.artifact("1", as_of="08:59") is None


def test_a_deployment_without_a_digest_ran_the_latest_known_one(story):
    """So it is among the periods of that artifact."""
    story.at("09:00").deploying("A", digest=digest("1"))
    story.at("09:10").deployed("A")
    assert [each["from"] for each in story.artifact("1")["ran"]] == ["2026-03-02T09:10:00Z"]


def test_a_deletion_that_names_no_digest_happened_to_every_digest_of_the_version(story):
    """And one that names another digest did not."""
    story.at("08:00").published("A", digest=digest("1"))
    story.at("08:10").published("A", digest=digest("2"))
    story.at("09:00").deleted("A", digest=digest("2"))
    story.at("09:10").quarantined("A")
    assert happened(story.artifact("1")) == [("web", "quarantined")]
    assert happened(story.artifact("2")) == [("web", "deleted"), ("web", "quarantined")]


def test_a_retracted_publication_is_not_told(story):
    """It was, by known_at before."""
    origin = story.at("09:00").published("A", digest=digest("1"))
    story.at("09:05").deployed("A", digest=digest("1"))
    story.at("09:30").retracted(origin)
    assert story.artifact("1")["published"] == []
    assert [each["position"] for each in story.artifact("1", known_at=2)["published"]] == [origin]


def test_a_corrected_digest_moves_the_publication_to_it(story):
    """From its recording on."""
    origin = story.at("09:00").published("A", digest=digest("1"))
    story.at("09:05").corrected(origin, "digest", digest("2"))
    assert story.artifact("1") is None
    assert story.artifact("2")["published"][0]["digest"] == digest("2")
    assert story.artifact("2", known_at=origin) is None
    assert story.artifact("1", known_at=origin)["published"][0]["digest"] == digest("1")


def test_one_digest_under_two_names_is_told_of_both(story):
    """A service was renamed; a tag was moved."""
    story.at("08:00").published("A", digest=digest("1"))
    story.at("08:10").published("A-final", digest=digest("1"), service="frontend")
    story.at("09:00").deployed("A", digest=digest("1"))
    story.at("09:10").deployed("A-final", digest=digest("1"), service="frontend")
    reply = story.artifact("1")
    assert [(each["service"], each["version"]) for each in reply["published"]] == [
        ("frontend", "A-final"),
        ("web", "A"),
    ]
    assert {(each["service"], each["version"]) for each in reply["ran"]} == {("frontend", "A-final"), ("web", "A")}


def test_events_of_artifacts_count_by_their_time(story):
    """Restored before it was deleted: it is deleted."""
    story.at("08:00").deployed("A")
    story.at("09:00").deployed("B")
    story.at("10:00").deleted("A")
    story.at("09:30", recorded="11:00").restored("A")
    assert story.against("A") == {"artifact_deleted"}
    story.at("10:30", recorded="11:10").restored("A")
    assert story.against("A") == set()
    assert story.against("A", as_of="10:15") == {"artifact_deleted"}


def test_an_artifacts_fate_is_that_of_its_service(story):
    """The same version of another service is another artifact."""
    for service in ("web", "api"):
        story.at("08:00").deployed("1.0", service=service)
        story.at("09:00").deployed("2.0", service=service)
    story.at("10:00").deleted("1.0", service="api")
    assert (story.target(), story.target(service="api")) == ("1.0", None)
