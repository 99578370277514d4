"""Who may have what recorded: pipelines execute, people decide."""

from itertools import combinations

import pytest

from ledger.authority import (
    ADMIN,
    AUDITOR,
    HUMAN,
    MACHINE,
    PIPELINE,
    RELAY,
    RESPONDER,
    ROLES,
    Principal,
    authorize,
    kind_for,
    places,
    within_bounds,
)
from ledger.errors import NotAllowed
from ledger.events import ADMIN_DECISION, DECISION, EVENTS, FACT, LEDGER
from tests.dsl import declared, deployed, event
from tests.ledger.scene import A_PIPELINE, A_RELAY, A_RESPONDER, AN_ADMIN, AN_AUDITOR, EVERYONE

FACTS, DECISIONS, ADMIN_DECISIONS, OWN = (
    sorted(topic for topic, cls in EVENTS.items() if cls.WHO is who) for who in (FACT, DECISION, ADMIN_DECISION, LEDGER)
)
MACHINES = [
    Principal("m", MACHINE, frozenset(roles))
    for many in (0, 1, 2, 3)
    for roles in combinations((PIPELINE, RELAY, AUDITOR), many)
]
"""Every machine there can be."""


def roles(principal):
    return "+".join(sorted(principal.roles)) or "none"


@pytest.mark.parametrize("machine", MACHINES, ids=roles)
@pytest.mark.parametrize("topic", [*DECISIONS, *ADMIN_DECISIONS])
def test_no_machine_decides(topic, machine):
    """Not by itself, whatever its roles; and no word about why helps."""
    with pytest.raises(NotAllowed):
        authorize(machine, event(topic))


@pytest.mark.parametrize("machine", MACHINES, ids=roles)
@pytest.mark.parametrize("topic", DECISIONS)
def test_only_a_relay_passes_on_a_decision_and_names_who_made_it(topic, machine):
    """The one way in which a decision comes from a machine."""
    decision = event(topic, decided_by="alice")
    if RELAY in machine.roles:
        assert authorize(machine, decision) is decision
    else:
        with pytest.raises(NotAllowed):
            authorize(machine, decision)


@pytest.mark.parametrize("topic", ADMIN_DECISIONS)
def test_only_an_admin_who_is_a_person_decides_what_is_for_admins(topic):
    """A relay does not administer, and neither does a responder."""
    assert authorize(AN_ADMIN, event(topic)).decided_by == AN_ADMIN.id
    for other in (A_RELAY, A_RESPONDER, AN_AUDITOR, Principal("m", MACHINE, frozenset(ROLES))):
        with pytest.raises(NotAllowed, match="admin"):
            authorize(other, event(topic, decided_by="alice"))


@pytest.mark.parametrize("topic", DECISIONS)
def test_a_responder_decides_and_is_named(topic):
    """Who decided is kept beside who submitted; by default they are one."""
    assert authorize(A_RESPONDER, event(topic)).decided_by == A_RESPONDER.id
    assert authorize(A_RESPONDER, event(topic, decided_by="alice")).decided_by == "alice"
    for other in (AN_ADMIN, AN_AUDITOR):
        with pytest.raises(NotAllowed, match="responder"):
            authorize(other, event(topic))


@pytest.mark.parametrize("topic", FACTS)
def test_facts_are_taken_from_whoever_may_append(topic):
    """As they are: nobody decided them."""
    fact = event(topic)
    for principal in (A_PIPELINE, A_RELAY, A_RESPONDER):
        assert authorize(principal, fact) is fact
    for reader in (AN_AUDITOR, AN_ADMIN, Principal("x", HUMAN, frozenset())):
        with pytest.raises(NotAllowed, match="append"):
            authorize(reader, fact)


@pytest.mark.parametrize("topic", [*FACTS, *DECISIONS])
def test_a_pipeline_names_nobody_as_having_decided(topic):
    """It would be an alibi for a machine's own doing."""
    for machine in (A_PIPELINE, Principal("m", MACHINE, frozenset({PIPELINE, AUDITOR}))):
        with pytest.raises(NotAllowed, match="relay"):
            authorize(machine, event(topic, decided_by="alice"))


@pytest.mark.parametrize("topic", OWN)
def test_what_the_ledger_writes_itself_is_taken_from_nobody(topic):
    """A granted access that somebody sent in would be a lie."""
    for principal in (EVERYONE, A_RELAY, A_PIPELINE):
        with pytest.raises(NotAllowed, match="ledger itself"):
            authorize(principal, event(topic, decided_by="alice"))


def test_the_kind_of_a_principal_follows_its_roles():
    """Machine for pipeline and relay, human otherwise; an auditor may be either."""
    assert [kind_for([role]) for role in ROLES] == [MACHINE, MACHINE, HUMAN, HUMAN, HUMAN]
    assert kind_for([AUDITOR], MACHINE) == MACHINE


@pytest.mark.parametrize(
    "held, kind",
    [({RESPONDER}, MACHINE), ({ADMIN}, MACHINE), ({PIPELINE}, HUMAN), ({RELAY}, HUMAN), ({RELAY, ADMIN}, None)],
)
def test_no_credential_makes_a_machine_that_decides(held, kind):
    """Nor a person that is a pipeline."""
    with pytest.raises(NotAllowed, match="only"):
        kind_for(held, kind)


BOUND = Principal("bound", MACHINE, frozenset({PIPELINE}), frozenset({"web", "api"}), frozenset({"staging"}))
BOUND_RESPONDER = Principal("approver", HUMAN, frozenset({RESPONDER}), frozenset({"web"}), frozenset({"staging"}))


@pytest.mark.parametrize(
    "inside",
    [
        deployed("1", service="web", environment="staging"),
        event("artifact.published", service="api"),
        event("alert.fired", service="web"),
        event("metric.observed", environment="staging"),
        event("incident.detected", affected=[{"service": "web", "environment": "staging"}]),
        event("oncall.assigned", services=["web", "api"]),
        event("incident.note_added"),
        event("payload.received"),
    ],
    ids=lambda each: each.TOPIC,
)
def test_inside_its_bounds_a_pipeline_appends(inside):
    """What names no service or environment is bound to none."""
    assert authorize(BOUND, inside) is inside


@pytest.mark.parametrize(
    "outside",
    [
        deployed("1", service="payments", environment="staging"),
        deployed("1", service="web", environment="production"),
        deployed("1", service="Web", environment="staging"),
        event("artifact.published", service="payments"),
        event("alert.fired", service="payments"),
        event("metric.observed", environment="production"),
        event("mitigation.applied", service="payments"),
        event("incident.detected", affected=[{"service": "web", "environment": "production"}]),
        event("incident.impact_started", affected=[{"service": "payments", "environment": "staging"}]),
        event("incident.version_suspected", service="payments", environment="staging"),
        event("oncall.assigned", services=["web", "payments"]),
    ],
    ids=lambda each: each.TOPIC,
)
def test_outside_its_bounds_a_pipeline_is_refused(outside):
    """Names are compared exactly, wherever in the event they stand."""
    with pytest.raises(NotAllowed, match="bound to other"):
        authorize(BOUND, outside)


@pytest.mark.parametrize(
    "outside",
    [
        declared(affected=[{"service": "web", "environment": "production"}]),
        event("incident.affected_changed", add=[{"service": "api", "environment": "staging"}]),
        event("incident.affected_changed", remove=[{"service": "api", "environment": "staging"}]),
        event("environment.frozen", environment="staging"),
        event("environment.unfrozen", environment="staging"),
        event("environment.frozen", environment="staging", service="api"),
        event("environment.frozen", environment="production", service="web"),
        event("maintenance.scheduled", environment="staging"),
        event("maintenance.scheduled", environment="staging", services=["web", "api"]),
        event("rollback.decided", service="api", environment="staging"),
    ],
    ids=lambda each: each.TOPIC,
)
def test_outside_their_bounds_an_approver_is_refused(outside):
    """To freeze an environment without naming a service is to freeze the services of others."""
    with pytest.raises(NotAllowed, match="bound to"):
        authorize(BOUND_RESPONDER, outside)


def test_inside_their_bounds_an_approver_decides():
    """One service of an environment, or maintenance of some."""
    for inside in (
        event("environment.frozen", environment="staging", service="web"),
        event("maintenance.scheduled", environment="staging", services=["web"]),
        event("rollback.decided", service="web", environment="staging"),
        declared(),
    ):
        assert authorize(BOUND_RESPONDER, inside).decided_by == BOUND_RESPONDER.id


def test_bound_to_environments_alone_one_may_freeze_them():
    """Bounds on services say nothing here."""
    approver = Principal("a", HUMAN, frozenset({RESPONDER}), environments=frozenset({"staging"}))
    assert authorize(approver, event("environment.frozen", environment="staging"))
    with pytest.raises(NotAllowed):
        authorize(approver, event("environment.frozen", environment="production"))


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_every_service_and_environment_that_an_event_names_is_bounded(topic):
    """A member for a service or environment that joins the catalogue can't slip past the bounds."""
    from ledger.contract import members

    place = {"service": "S", "environment": "E"}
    named = {
        "service": "S",
        "environment": "E",
        "services": ["S"],
        **{name: [place] for name in ("affected", "add", "remove")},
    }
    known = members(EVENTS[topic]).keys() & named.keys()
    found = places(event(topic, **{name: named[name] for name in known}))
    assert {service for service, _ in found} - {None} == ({"S"} if known - {"environment"} else set())
    if known:
        nobody = Principal("n", HUMAN, frozenset({RESPONDER}), frozenset({"other"}), frozenset({"other"}))
        with pytest.raises(NotAllowed):
            within_bounds(nobody, event(topic, **{name: named[name] for name in known}))


@pytest.mark.parametrize(
    "about_all",
    [
        event("alert.fired", service=None),
        event("alert.resolved", service=None),
        event("oncall.assigned", services=[]),
        event("oncall.released", services=[]),
        event("incident.impact_started", affected=[]),
        event("incident.impact_ended", affected=[]),
    ],
    ids=lambda each: each.TOPIC,
)
def test_what_names_no_service_is_about_all_and_not_for_a_bound_pipeline(about_all):
    """Nobody's pipeline resolves another's alert, takes another's shift or ends another's impact."""
    with pytest.raises(NotAllowed, match="about all"):
        authorize(BOUND, about_all)


def test_a_bound_responder_in_a_hurry_ends_an_impact():
    """A person is not held up for not naming the slots."""
    assert authorize(BOUND_RESPONDER, event("incident.impact_ended", affected=[]))
