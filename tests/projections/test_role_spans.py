"""Who held which role when."""

from projections import role_spans
from tests.projections.story import time


def granted(story, subject, *roles, token="t1", **labels):
    bindings = {"services": ["web"], "environments": []}
    return story.add(
        "access.granted",
        subject=subject,
        roles=list(roles),
        bindings=bindings,
        labels={"kind": "human", "token": token, **labels},
    )


def revoked(story, subject, token="t1"):
    return story.add("access.revoked", subject=subject, reason="left", labels={"token": token} if token else {})


def held(story, start, end, **when):
    with story.answers.at(story.moment(**when)) as reader:
        bounds = [int(time(each).timestamp() * 1_000_000) for each in (start, end)]
        return role_spans.held(reader, *bounds, {"p1": "Ada"}.get)


def test_a_role_from_its_grant_to_its_revocation(story):
    """With what it was bound to, who granted it, and where that is recorded."""
    grant = granted(story.at("10:00"), "p1", "responder", "auditor", method="break-glass")
    end = revoked(story.at("12:00"), "p1")
    assert held(story, "09:00", "11:00") == [
        {
            "principal": "p1",
            "name": "Ada",
            "kind": "human",
            "method": "break-glass",
            "roles": ["auditor", "responder"],
            "services": ["web"],
            "environments": [],
            "since": "2026-03-02T10:00:00Z",
            "until": "2026-03-02T12:00:00Z",
            "granted_by": "person-ada",
            "granted_at": grant,
            "revoked_at": end,
        }
    ]


def test_only_what_was_held_in_the_period(story):
    """A period holds its start and not its end."""
    granted(story.at("10:00"), "p1", "responder")
    revoked(story.at("12:00"), "p1")
    assert len(held(story, "11:00", "11:01")) == 1
    assert held(story, "12:00", "13:00") == []
    assert held(story, "09:00", "10:00") == []


def test_what_is_not_revoked_is_held_on(story):
    """As of a moment, and as it was known."""
    grant = granted(story.at("10:00"), "p1", "responder")
    revoked(story.at("12:00"), "p1")
    story.at("13:00")
    assert held(story, "09:00", "20:00", as_of="11:00")[0]["until"] is None
    assert held(story, "09:00", "20:00", known_at=grant)[0]["until"] is None


def test_each_token_is_granted_and_revoked_by_itself(story):
    """One of two is gone; a revocation that names none ends all."""
    granted(story.at("10:00"), "p1", "responder", token="t1")
    granted(story, "p1", "auditor", token="t2")
    granted(story, "p2", "pipeline", token="t3")
    revoked(story.at("11:00"), "p1", "t1")
    found = held(story, "09:00", "20:00")
    assert [(each["roles"], each["until"] is None) for each in found] == [
        (["responder"], False),
        (["auditor"], True),
        (["pipeline"], True),
    ]
    revoked(story.at("12:00"), "p1", None)
    found = held(story, "09:00", "20:00")
    assert [each["until"] for each in found] == ["2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z", None]
