"""The incidents over HTTP: the list, one of them, its timeline; each at any moment."""

from urllib.parse import quote
from uuid import uuid4

import pytest
from marshmallow import RAISE

from api import incident_replies as replies

SEVERITIES = ("SEV-1", "SEV-2", "SEV-3")


@pytest.fixture
def slot():
    """A slot that no other test knows."""
    return {"service": f"web-{uuid4().hex[:8]}", "environment": "production"}


@pytest.fixture
def name():
    return f"INC-{uuid4().hex[:8]}"


def event(topic, time=None, **data):
    draft = {"type": topic, "data": {each.rstrip("_"): value for each, value in data.items()}}
    return draft if time is None else {**draft, "time": f"2026-03-02T{time}:00Z"}


def declared(name, slot, time="10:00", **more):
    data = {"title": "it is down", "severity": "SEV-1", "kind": "outage", "affected": [slot], **more}
    return event("incident.declared", time, incident=name, **data)


def get(client, path, status=200, **query):
    answer = client.get(path, **query)
    assert answer.status == status, answer.body
    return answer.json()


def incident(client, name, **query):
    return get(client, f"/v1/incidents/{quote(name, safe='')}", **query)


def timeline(client, name, **query):
    return get(client, f"/v1/incidents/{quote(name, safe='')}/timeline", **query)


def last(receipts):
    return receipts["last"] if "last" in receipts else receipts["position"]


def lived(client, name, slot):
    """An incident with a bit of everything; the last position."""
    return last(
        client.append(
            event("deployment.succeeded", "09:00", deployment_id=uuid4().hex, version="A", **slot),
            event("deployment.succeeded", "09:30", deployment_id=uuid4().hex, version="B", **slot),
            event("incident.impact_started", "09:40", incident=name, basis="log", precision="minutes"),
            event("incident.detected", "09:45", incident=name, title="errors", suggested_severity="SEV-2"),
            declared(name, slot, "09:47"),
            event("incident.role_assigned", "09:48", incident=name, role="commander", person="ana", briefing="take it"),
            event("incident.priority_changed", "09:49", incident=name, to="P1", reason="customers call"),
            event("incident.note_added", "09:50", incident=name, text="it is the cache", pinned=True, role="scribe"),
            event("incident.version_implicated", "09:51", incident=name, version="B", reason="trace", **slot),
            event("rollback.decided", "09:52", rollback_id=f"RB-{name}", to_version="A", incident=name, **slot),
            event("rollback.succeeded", "09:56", rollback_id=f"RB-{name}", to_version="A", **slot),
            event("incident.update_published", "09:57", incident=name, audience="public", text="we are on it"),
            event("mitigation.applied", "09:57", incident=name, kind="cache", text="flushed"),
            event("incident.impact_ended", "09:58", incident=name, basis="log"),
            event("incident.impact_measured", "10:00", incident=name, measure="orders lost", value=12, unit="orders"),
            event("incident.resolved", "10:10", incident=name, reason="rolled back"),
        )
    )


def test_an_incident_has_what_a_reader_needs(client, slot, name):
    """Headline, severity, impact, roles, versions, measures, response, in one reply of the documented shape."""
    position = lived(client, name, slot)
    found = incident(client, name, at_least=position)
    replies.WholeIncident().load(found, unknown=RAISE)
    assert (found["id"], found["state"], found["severity"], found["priority"]) == (name, "resolved", "SEV-1", "P1")
    assert found["measures"]["time_to_detect"]["seconds"] == 300
    assert found["measures"]["time_to_execute"]["seconds"] == 240
    assert found["impact"]["seconds"] == 1080
    assert found["severities"]["seconds"] == {"SEV-1": 1380, "SEV-2": 0, "SEV-3": 0}
    assert [(each["role"], each["person"], each["briefing"]) for each in found["roles"]] == [
        ("commander", "ana", "take it")
    ]
    assert [(each["version"], each["standing"]) for each in found["versions"]] == [
        ("B", "implicated"),
        ("A", "suspected"),
    ]
    assert found["expected_response"]["status"] == "as_expected"
    assert found["notes"]["pinned"][0]["text"] == "it is the cache"
    assert found["mitigations"][0]["text"] == "flushed"
    assert [each["code"] for each in found["marks"]] == ["late_record"]


def test_a_timeline_has_every_entry_in_the_documented_shape(client, slot, name):
    """With the name of who submitted it."""
    position = lived(client, name, slot)
    found = timeline(client, name, at_least=position)
    replies.Timeline().load(found, unknown=RAISE)
    assert [each["time"][11:16] for each in found["items"]] == sorted(each["time"][11:16] for each in found["items"])
    assert len(found["items"]) == 16
    assert {each["submitter"]["name"] for each in found["items"]} == {"a-responder"}
    decided = next(each for each in found["items"] if each["type"] == "rollback.decided")
    assert (decided["decided_by"], decided["roles"], decided["data"].get("seen")) == ("a-responder", [], None)


def test_a_timeline_comes_in_pages(client, slot, name):
    """Each with a link to the next; together they are the whole."""
    position = lived(client, name, slot)
    whole = timeline(client, name, at_least=position)["items"]
    found, after = [], None
    while True:
        answer = client.get(f"/v1/incidents/{name}/timeline", limit=5, after=after)
        page = answer.json()
        found += page["items"]
        after = page["next"]
        assert (answer.headers["Link"] is None) == (after is None)
        if after is None:
            break
    assert found == whole
    linked = client.get(client.get(f"/v1/incidents/{name}/timeline", limit=5).headers["Link"].partition(">")[0][1:])
    assert linked.json()["items"] == whole[5:10]


@pytest.mark.parametrize(
    "given", ["a/b", "a//b", "/a", "a/", "with blank & ? # + %2F", "日本/🚀", "x/timeline/y", "'; --", "a;b=c", ".."]
)
def test_an_id_goes_into_the_path_percent_encoded(client, slot, given):
    """Whatever characters it has."""
    name = given
    position = last(client.append(declared(name, slot), event("incident.note_added", incident=name, text="x")))
    assert incident(client, name, at_least=position)["id"] == name
    assert timeline(client, name)["incident"] == name
    link = client.get(f"/v1/incidents/{quote(name, safe='')}/timeline", limit=1).headers["Link"]
    assert client.get(link.partition(">")[0][1:]).json()["incident"] == name


@pytest.mark.parametrize("word", ["timeline", "report"])
def test_an_incident_may_be_called_what_a_path_is(client, slot, name, word):
    """It and its timeline are found, and are not those of the incident whose name it begins with."""
    for each in (name, f"{name}/{word}"):
        position = last(client.append(declared(each, slot)))
    for each in (name, f"{name}/{word}"):
        assert incident(client, each, at_least=position)["id"] == each
        assert timeline(client, each)["incident"] == each


def test_an_unknown_incident_is_404(client):
    """It says where to look."""
    for path in ("/v1/incidents/nobody-knows", "/v1/incidents/nobody-knows/timeline"):
        assert "/v1/incidents" in get(client, path, 404)["detail"]


def test_an_incident_nobody_announced_is_shown_with_a_mark(client, name):
    """It was recorded all the same."""
    position = last(client.append(event("incident.note_added", incident=name, text="hello")))
    found = incident(client, name, at_least=position)
    assert (found["state"], found["active"]) == (None, False)
    assert [each["code"] for each in found["marks"]] == ["unknown_incident"]


def test_the_list_filters_and_pages(client, slot, name):
    """By state, severity, mode, activity, service and environment; newest first."""
    position = last(
        client.append(
            declared(f"{name}-1", slot, "10:00"),
            declared(f"{name}-2", slot, "10:05", severity="SEV-2"),
            declared(f"{name}-3", slot, "10:10", mode="drill"),
            event("incident.resolved", "10:20", incident=f"{name}-1", reason="done"),
        )
    )

    def listed(**query):
        found = get(client, "/v1/incidents", at_least=position, service=slot["service"], **query)
        replies.IncidentPage().load(found, unknown=RAISE)
        return [each["id"].removeprefix(f"{name}-") for each in found["items"]]

    assert listed() == ["3", "2", "1"]
    assert listed(active="true") == ["3", "2"]
    assert listed(active="false") == ["1"]
    assert listed(state="resolved") == ["1"]
    assert listed(severity="SEV-2") == ["2"]
    assert listed(mode="real") == ["2", "1"]
    assert listed(environment="staging") == []
    assert listed(as_of="2026-03-02T10:07:00Z") == ["2", "1"]
    assert listed(as_of="2026-03-02T10:07:00Z", active="true", severity="SEV-1") == ["1"]
    pages, after = [], None
    while True:
        page = get(client, "/v1/incidents", service=slot["service"], limit=1, after=after)
        pages += [each["id"] for each in page["items"]]
        if (after := page["next"]) is None:
            break
    assert pages == [f"{name}-3", f"{name}-2", f"{name}-1"]


def test_a_read_at_another_moment_sees_what_was_so_and_what_was_known(client, slot, name):
    """`as_of` by what happened, `known_at` by what was recorded, for all three."""
    first = last(client.append(declared(name, slot, "10:00")))
    second = last(client.append(event("incident.resolved", "11:00", incident=name, reason="done")))
    third = last(
        client.append(
            event("record.corrected", position=second, field="time", value="2026-03-02T10:30:00Z", reason="misread")
        )
    )

    def told(**query):
        listed = get(client, "/v1/incidents", service=slot["service"], **query)["items"][0]
        found = incident(client, name, **query)
        entries = timeline(client, name, **query)["items"]
        assert listed["state"] == found["state"]
        assert listed["ended"] == found["ended"]
        own = [each for each in entries if each["type"].startswith("incident.")]
        return found["state"], found["measures"]["time_to_resolve"]["seconds"], len(own)

    assert told(at_least=third) == ("resolved", 1800, 2)
    assert told(known_at=second) == ("resolved", 3600, 2)
    assert told(known_at=first) == ("declared", None, 1)
    assert told(as_of="2026-03-02T10:45:00Z") == ("resolved", 1800, 2)
    assert told(as_of="2026-03-02T10:45:00Z", known_at=second) == ("declared", None, 1)
    get(client, f"/v1/incidents/{name}", 404, as_of="2026-03-02T09:00:00Z")


def test_an_id_that_was_merged_leads_to_where_it_went(client, slot, name):
    """Old links still work, and say so."""
    other = f"{name}-main"
    position = last(
        client.append(
            declared(name, slot, "10:00"),
            declared(other, slot, "10:01"),
            event("incident.merged", "10:05", incident=name, into=other, reason="the same"),
        )
    )
    found = incident(client, name, at_least=position)
    assert (found["state"], found["merged_into"], found["leads_to"]["id"]) == ("merged", other, other)
    assert timeline(client, name)["leads_to"] == other
    assert incident(client, other)["merged"] == [name]
    assert name in {each["incident"] for each in timeline(client, other)["items"]}


@pytest.mark.parametrize(
    "query, status",
    [
        ({"state": "burning"}, 422),
        ({"severity": "SEV-9"}, 422),
        ({"active": "yes"}, 422),
        ({"color": "red"}, 422),
        ({"limit": 0}, 422),
        ({"after": "!"}, 400),
        ({"after": "MTIz"}, 200),
        ({"after": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5IHg"}, 400),
        ({"known_at": 10**9}, 400),
        ({"as_of": "2999-01-01T00:00:00Z"}, 400),
    ],
)
def test_a_query_that_cannot_be_is_refused(client, query, status):
    """No filter does nothing silently."""
    assert client.get("/v1/incidents", **query).status == status


def test_a_cursor_of_another_list_is_refused(client, slot, name):
    """That of the incidents is none of a timeline."""
    lived(client, name, slot)
    cursor = get(client, "/v1/incidents", limit=1)["next"]
    assert client.get(f"/v1/incidents/{name}/timeline", after=cursor).status == 400


@pytest.mark.parametrize("role, status", [("pipeline", 200), ("auditor", 200), (None, 401)])
def test_who_may_read_may_read_incidents(server, client, slot, name, role, status):
    """And nobody without a token."""
    position = last(client.append(declared(name, slot)))
    for path in ("/v1/incidents", f"/v1/incidents/{name}", f"/v1/incidents/{name}/timeline"):
        query = {} if role is None else {"at_least": position}
        assert server.client(role).get(path, **query).status == status


@pytest.mark.parametrize(
    "topic, data",
    [
        ("incident.declared", {"title": "t", "severity": "SEV-1", "kind": "outage"}),
        ("incident.acknowledged", {}),
        ("incident.severity_changed", {"from": "SEV-1", "to": "SEV-2", "reason": "r"}),
        ("incident.priority_changed", {"to": "P1", "reason": "r"}),
        ("incident.affected_changed", {}),
        ("incident.role_assigned", {"role": "commander", "person": "p"}),
        ("incident.role_released", {"role": "commander", "person": "p"}),
        ("incident.version_implicated", {"service": "s", "environment": "e", "version": "1", "reason": "r"}),
        ("incident.version_exonerated", {"service": "s", "environment": "e", "version": "1", "reason": "r"}),
        ("incident.cause_elsewhere", {"reason": "r"}),
        ("incident.mitigated", {"reason": "r"}),
        ("incident.resolved", {"reason": "r"}),
        ("incident.closed", {"reason": "r"}),
        ("incident.cancelled", {"reason": "r"}),
        ("incident.reopened", {"reason": "r"}),
        ("incident.merged", {"into": "x", "reason": "r"}),
        ("incident.unmerged", {"into": "x", "reason": "r"}),
        ("incident.linked", {"other": "x", "relation": "same"}),
    ],
)
def test_a_machine_never_declares_grades_or_closes(server, name, topic, data):
    """403 that says why and who may; a person may, and a relay that names one; nothing about the world refuses them."""
    draft = {"type": topic, "data": {"incident": name, **data}}
    refused = server.client("pipeline").post("/v1/events", draft)
    assert refused.status == 403
    assert "responder" in refused.json()["detail"]
    assert server.client("relay").post("/v1/events", draft).status == 403
    assert server.client("responder").post("/v1/events", draft).status == 201
    named = {**draft, "data": {**draft["data"], "decided_by": "ana"}}
    assert server.client("relay").post("/v1/events", named).status == 201


def test_a_machine_reports_what_it_detected_and_when_impact_began(server, name):
    """Facts are from any principal that may append."""
    machine = server.client("pipeline")
    for topic, data in (
        ("incident.detected", {"title": "errors"}),
        ("incident.impact_started", {"basis": "alert"}),
        ("incident.note_added", {"text": "restarted by itself"}),
        ("incident.version_suspected", {"service": "s", "environment": "e", "version": "1"}),
    ):
        assert machine.post("/v1/events", {"type": topic, "data": {"incident": name, **data}}).status == 201


def test_nothing_about_an_incident_stands_in_the_way(client, name, slot):
    """Unknown incident, skewed clock, steps out of place: 201, and a warning."""
    hurried = [
        (event("incident.resolved", incident=name, reason="?"), "unknown_incident"),
        ({**declared(name, slot), "time": "2999-01-01T00:00:00Z"}, "clock_ahead"),
        (event("incident.severity_changed", incident=name, from_="SEV-3", to="SEV-1", reason="?"), "from_mismatch"),
        (event("incident.unmerged", incident=name, into="x", reason="?"), "contradictory_step"),
        (event("incident.merged", incident=name, into="nobody-knows", reason="?"), "unknown_incident"),
        (event("incident.role_released", incident=name, role="scribe", person="ana"), "from_mismatch"),
    ]
    for draft, code in hurried:
        answer = client.post("/v1/events", draft)
        assert answer.status == 201
        assert code in [each["code"] for each in answer.json()["warnings"]]


def test_what_is_redacted_is_in_no_answer_any_more(server, client, slot, name):
    """Not even as known before: a redaction is the one thing that `known_at` does not bring back."""
    secret = "Grace Hopper"
    given_to = {"role": "commander", "person": secret, "briefing": f"ask {secret}"}
    told = client.append(
        declared(name, slot, title=f"{secret} is down"),
        event("incident.role_assigned", "10:01", incident=name, **given_to),
        event("incident.note_added", "10:02", incident=name, text=f"{secret} called", pinned=True),
    )
    first, before = told["first"], told["last"]

    def read(**query):
        listed = client.get("/v1/incidents", service=slot["service"], **query)
        one = [client.get(f"/v1/incidents/{name}{rest}", **query) for rest in ("", "/timeline")]
        return [each.body.decode() for each in (listed, *one)]

    assert all(secret in body for body in read(at_least=before))
    for position, fields in enumerate((["title"], ["person", "briefing"], ["text"]), first):
        redaction = event(
            "record.redacted", position=position, fields=fields, reason="asked for", authority="article 17"
        )
        end = server.client("admin").append(redaction)["position"]
    for query in ({"at_least": end}, {"known_at": before}):
        for body in read(**query):
            assert name in body
            assert secret not in body
