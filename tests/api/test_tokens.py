"""Tokens: what opens the ledger, and how it stops."""

import sqlite3
import stat
from contextlib import closing
from datetime import UTC, datetime

import pytest

from api.access import LOCAL_ADMIN, command, directly
from api.tokens import FILE, NoSuchToken, Tokens, Unauthenticated, check_form, hash_of, new_text
from ledger.application import Ledger
from ledger.errors import Damaged, NotAllowed
from ledger.events import AccessGranted, AccessRevoked, DeploymentSucceeded


class FixedClock:
    def __init__(self):
        self.moment = datetime(2026, 11, 22, 21, 15, 30, tzinfo=UTC)

    def now(self):
        return self.moment


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "data", FixedClock()) as opened:
        yield opened


@pytest.fixture
def tokens(ledger):
    opened = Tokens(ledger, directly(ledger))
    yield opened
    opened.close()


def events(ledger):
    return [(each.event, each.submitter.id) for each in ledger.read(0, ledger.head())]


def test_a_token_stands_for_the_principal_it_was_made_for(tokens):
    """Roles, kind and bounds are what was granted; the id says nothing."""
    text, made = tokens.create("ci", ["pipeline"], LOCAL_ADMIN, services=["payments"], environments=["production"])
    found = tokens.principal(text)
    assert found == made
    assert (found.kind, found.roles, found.services) == ("machine", {"pipeline"}, {"payments"})
    assert found.id.startswith("p-")
    assert "ci" not in found.id
    assert tokens.name_of(found.id) == "ci"


def test_all_people_are_known_by_name_and_id_and_no_machines(ledger, tokens):
    """As of a position; one whose token was revoked is known all the same."""
    _, ana = tokens.create("Ana Tomic", ["responder"], LOCAL_ADMIN)
    head = ledger.head()
    tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    _, ben = tokens.create("Ben", ["admin"], LOCAL_ADMIN)
    tokens.revoke("Ana Tomic", LOCAL_ADMIN)
    assert tokens.people(head) == ["Ana Tomic", ana.id]
    assert tokens.people(ledger.head()) == ["Ana Tomic", ana.id, "Ben", ben.id]
    assert tokens.people(0) == []


def test_a_break_glass_token_is_a_responders(ledger, tokens):
    """Its grant says what it is, so that every use of it can be told; nobody else gets one."""
    text, made = tokens.create("glass", ["responder"], LOCAL_ADMIN, break_glass=True)
    assert tokens.principal(text) == made
    assert made.submitter.method == "break_glass"
    ((event, _),) = events(ledger)
    assert event.labels["method"] == "break_glass"
    for roles in (["pipeline"], ["admin"], ["auditor"]):
        with pytest.raises(NotAllowed, match="responder"):
            tokens.create("x", roles, LOCAL_ADMIN, break_glass=True)
    assert tokens.create("ana", ["responder"], LOCAL_ADMIN)[1].submitter.method == "token"


def test_the_grant_is_recorded_and_says_who_did_it(ledger, tokens):
    """The name stays out of the record, and so does the token."""
    text, principal = tokens.create("Ana Lima", ["responder", "admin"], LOCAL_ADMIN)
    ((event, submitter),) = events(ledger)
    assert isinstance(event, AccessGranted)
    assert (event.subject, event.roles, submitter) == (principal.id, ("admin", "responder"), "local-admin")
    assert event.stream == f"access/{principal.id}"
    leaf = ledger.row(1).state.decode()
    assert "Ana" not in leaf
    assert text not in leaf


def test_the_text_of_a_token_is_kept_nowhere(ledger, tokens):
    """Whoever copies the file can't sign in with it."""
    text, _ = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    tokens.close()
    kept = b"".join(path.read_bytes() for path in ledger.folder.iterdir())
    assert text.encode() not in kept
    assert text[3:46].encode() not in kept


def test_only_its_owner_may_open_the_file(ledger, tokens):
    """Names of people are in it."""
    assert stat.S_IMODE((ledger.folder / FILE).stat().st_mode) == 0o600


def test_nothing_counts_that_could_not_be_recorded(ledger):
    """Recording comes first: where it fails, there is no token."""

    def fails(_command):
        raise sqlite3.OperationalError("database or disk is full")

    tokens = Tokens(ledger, fails)
    with pytest.raises(sqlite3.OperationalError):
        tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    assert tokens.all() == []
    tokens.close()


def test_a_row_that_somebody_slipped_in_opens_nothing(ledger, tokens):
    """What a token allows is read from the record, not from the file beside it."""
    tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    forged = new_text()
    hashed = hash_of(forged)
    with closing(sqlite3.connect(ledger.folder / FILE)) as database, database:
        database.execute(
            "INSERT INTO tokens SELECT ?, principal, ?, position, created_at, NULL, NULL, NULL FROM tokens",
            (hashed[:16], hashed),
        )
    with pytest.raises(Unauthenticated, match="does not grant this token"):
        tokens.principal(forged)
    assert [each.grant is None for each in tokens.all()] == [False, True]


def test_roles_changed_in_the_file_change_nothing(ledger, tokens):
    """Pointing a token at another's grant gives it no rights."""
    weak, _ = tokens.create("auditor", ["auditor"], LOCAL_ADMIN)
    tokens.create("admin", ["admin"], LOCAL_ADMIN)
    with closing(sqlite3.connect(ledger.folder / FILE)) as database, database:
        database.execute("UPDATE tokens SET position = 2 WHERE position = 1")
    with pytest.raises(Unauthenticated):
        tokens.principal(weak)


def test_tokens_beside_another_record_open_nothing(tmp_path, ledger, tokens):
    """As when a data folder was put together from two."""
    text, _ = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    tokens.close()
    with Ledger(tmp_path / "other") as other:
        (tmp_path / "other" / FILE).write_bytes((ledger.folder / FILE).read_bytes())
        moved = Tokens(other, directly(other))
        with pytest.raises(Unauthenticated, match="does not grant this token"):
            moved.principal(text)
        moved.close()


def test_a_revoked_token_says_that_it_was_revoked(ledger, tokens):
    """Whoever holds it may know; and the record knows who did it, and why."""
    text, principal = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    (revoked,) = tokens.revoke("ci", LOCAL_ADMIN, "it was in a log")
    assert revoked.revoked_at == "2026-11-22T21:15:30Z"
    with pytest.raises(Unauthenticated, match="was revoked at 2026-11-22T21:15:30Z"):
        tokens.principal(text)
    event, submitter = events(ledger)[-1]
    assert isinstance(event, AccessRevoked)
    assert (event.subject, event.reason, submitter) == (principal.id, "it was in a log", "local-admin")


@pytest.mark.parametrize("name_it", ["name", "principal", "id", "text"])
def test_a_token_can_be_revoked_by_whatever_one_knows_of_it(tokens, name_it):
    """Also by itself, when it was found where it should not be."""
    text, principal = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    kept, _ = tokens.create("other", ["pipeline"], LOCAL_ADMIN)
    known = {"name": "ci", "principal": principal.id, "id": tokens.all()[0].id, "text": text}
    tokens.revoke(known[name_it], LOCAL_ADMIN)
    with pytest.raises(Unauthenticated, match="was revoked"):
        tokens.principal(text)
    assert tokens.principal(kept)


def test_revoking_a_name_revokes_all_that_bear_it(ledger, tokens):
    """In an emergency too much is better than too little."""
    texts = [tokens.create("ci", [role], LOCAL_ADMIN)[0] for role in ("pipeline", "relay")]
    assert len(tokens.revoke("ci", LOCAL_ADMIN)) == 2
    for text in texts:
        with pytest.raises(Unauthenticated):
            tokens.principal(text)
    assert [type(event).TOPIC for event, _ in events(ledger)] == ["access.granted"] * 2 + ["access.revoked"] * 2


def test_revoking_twice_is_recorded_once(ledger, tokens):
    """It is done already, and stays dated when it was done."""
    tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    first = tokens.revoke("ci", LOCAL_ADMIN)
    assert tokens.revoke("ci", LOCAL_ADMIN) == first
    assert ledger.head() == 2


def test_a_token_stops_working_even_where_that_cannot_be_recorded(ledger, tokens):
    """Rights shrink at once; done again, the record is completed."""
    text, _ = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)

    def fails(_command):
        raise sqlite3.OperationalError("database or disk is full")

    hindered = Tokens(ledger, fails)
    with pytest.raises(sqlite3.OperationalError):
        hindered.revoke("ci", LOCAL_ADMIN)
    hindered.close()
    with pytest.raises(Unauthenticated, match="was revoked"):
        tokens.principal(text)
    assert ledger.head() == 1
    tokens.revoke("ci", LOCAL_ADMIN)
    assert isinstance(events(ledger)[-1][0], AccessRevoked)


def test_nothing_is_revoked_that_nobody_made(tokens):
    """A leaked token is not repeated in the message, which may be logged."""
    with pytest.raises(NoSuchToken, match="named nobody"):
        tokens.revoke("nobody", LOCAL_ADMIN)
    text = new_text()
    with pytest.raises(NoSuchToken) as told:
        tokens.revoke(text, LOCAL_ADMIN)
    assert text not in str(told.value)


def test_a_typing_error_is_told_from_a_token_nobody_knows(tokens):
    """The last digits are a checksum over the others."""
    text, _ = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    for at in range(3, len(text)):
        other = "a" if text[at] != "a" else "b"
        with pytest.raises(Unauthenticated, match="copied wrongly"):
            tokens.principal(text[:at] + other + text[at + 1 :])
    with pytest.raises(Unauthenticated, match="not made for this ledger"):
        tokens.principal(new_text())


@pytest.mark.parametrize("text", ["", "lg_", "secret", "lg_" + "a" * 48, "lg_" + "a" * 50, "lg_" + "ä" * 49])
def test_what_is_no_token_at_all_is_told_so(text):
    """Before anything is looked up."""
    with pytest.raises(Unauthenticated, match="no token of a ledger"):
        check_form(text)


def test_no_two_tokens_are_alike():
    """256 random bits, always 52 characters."""
    texts = {new_text() for _ in range(1000)}
    assert len(texts) == 1000
    assert {len(each) for each in texts} == {52}


def test_a_token_made_by_another_process_counts_at_once(ledger, tokens):
    """Two of `Tokens` on one folder are as two processes."""
    other = Tokens(ledger, directly(ledger))
    text, principal = other.create("late", ["auditor"], LOCAL_ADMIN)
    assert tokens.principal(text) == principal
    other.revoke("late", LOCAL_ADMIN)
    with pytest.raises(Unauthenticated):
        tokens.principal(text)
    other.close()


def test_the_last_use_is_kept_no_finer_than_an_hour(tokens):
    """Enough to find those nobody uses, too little to follow anybody."""
    text, _ = tokens.create("ci", ["pipeline"], LOCAL_ADMIN)
    assert tokens.all()[0].used_at is None
    tokens.principal(text)
    assert tokens.all()[0].used_at == "2026-11-22T21:00:00Z"


@pytest.mark.parametrize(
    "roles,kind",
    [(["responder"], "machine"), (["admin"], "machine"), (["pipeline"], "human"), (["relay", "admin"], None)],
)
def test_roles_that_do_not_go_with_the_kind_are_refused(ledger, tokens, roles, kind):
    """A machine never gets to decide, and nothing is recorded of the attempt."""
    with pytest.raises(NotAllowed):
        tokens.create("x", roles, LOCAL_ADMIN, kind=kind)
    assert ledger.head() == 0


def test_a_file_of_a_later_release_is_not_opened(ledger, tokens):
    """Its rules for who may do what are not known here."""
    tokens.close()
    with closing(sqlite3.connect(ledger.folder / FILE)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(Damaged, match="newer release"):
        Tokens(ledger, directly(ledger))


def test_only_the_ledgers_own_events_can_be_made_past_the_rules(ledger):
    """The way around `authorize` is no way for anything else."""
    event = DeploymentSucceeded(deployment_id="d", service="s", environment="e", version="1")
    with pytest.raises(ValueError, match="like any other event"):
        command(ledger, event, LOCAL_ADMIN)
