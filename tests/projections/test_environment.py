"""Settings of an environment and of a service in it, and freezes."""

import pytest

FROZEN = "environment_frozen"


@pytest.fixture
def two(story):
    """A since eight, B since nine, of web and of api."""
    for service in ("web", "api"):
        story.at("08:00").deployed("A", service=service)
        story.at("09:00").deployed("B", service=service)
    return story


def frozen(story, **query):
    return FROZEN in story.warned("A", **query)


def test_a_services_own_setting_goes_before_the_environments_whichever_came_later(two):
    """Each setting by itself: what the service does not say, the environment does."""
    two.at("09:10").configured(service="web", soak_minutes=1000)
    two.at("09:20").configured(soak_minutes=0, approval_required=True)
    assert "too_little_soak" in two.warned("A")
    assert "too_little_soak" not in two.warned("A", service="api")
    assert "approval_missing" in two.warned("A")


def test_a_setting_stands_until_it_is_set_again(two):
    """A later configuration that does not name it leaves it."""
    two.at("09:10").configured(soak_minutes=1000)
    two.at("09:20").configured(tier="production")
    assert "too_little_soak" in two.warned("A")
    two.at("09:30").configured(soak_minutes=10)
    assert "too_little_soak" not in two.warned("A")


def test_settings_are_those_of_the_moment_that_is_asked_about(two):
    """Not today's for yesterday."""
    two.at("10:00").configured(approval_required=True)
    assert "approval_missing" not in two.warned("A", as_of="09:59")
    assert "approval_missing" in two.warned("A", as_of="10:00")


def test_a_freeze_holds_from_its_time_until_it_is_lifted(two):
    """For every service of the environment, and no other environment."""
    two.at("08:00").deployed("A", environment="staging")
    two.at("08:10").deployed("B", environment="staging")
    two.at("10:00").frozen()
    two.at("11:00").unfrozen()
    assert not frozen(two, as_of="09:59")
    assert frozen(two, as_of="10:00")
    assert frozen(two, as_of="10:59", service="api")
    assert not frozen(two, as_of="10:30", environment="staging")
    assert not frozen(two)


def test_a_freeze_with_an_end_is_over_by_itself(two):
    """Worked out at the moment of asking: nothing needs a clock."""
    two.at("10:00").frozen(until="2026-03-02T13:00:00+01:00")
    two.at("12:00")
    assert frozen(two, as_of="11:59:59")
    assert not frozen(two)


def test_a_freeze_of_one_service_is_of_that_service(two):
    """And is lifted by itself."""
    two.at("10:00").frozen(service="web")
    assert frozen(two)
    assert not frozen(two, service="api")
    two.at("10:10").frozen()
    two.at("10:20").unfrozen()
    assert frozen(two)
    assert not frozen(two, service="api")
    two.at("10:30").unfrozen(service="web")
    assert not frozen(two)


def test_a_freeze_that_was_retracted_never_was(two):
    """Like every event."""
    freeze = two.at("10:00").frozen()
    two.at("10:10").retracted(freeze)
    assert not frozen(two)
    assert not frozen(two, as_of="10:05")
    assert frozen(two, known_at=freeze)


def test_a_freeze_recorded_late_was_there(two):
    """As of then, by what is known now."""
    late = two.at("10:00", recorded="12:00").frozen(until="2026-03-02T11:00:00Z")
    assert frozen(two, as_of="10:30")
    assert not frozen(two, as_of="10:30", known_at=late - 1)
    assert not frozen(two)


def test_validity_is_what_was_configured_when_the_target_was_reached(two):
    """A slot's own valid_minutes first."""
    two.at("09:10").configured(valid_minutes=5)
    two.at("09:10").configured(service="api", valid_minutes=120)
    for service in ("web", "api"):
        two.at("10:00").decided("X", f"r-{service}", service=service)
        two.at("10:30").deployed("X", service=service)
    assert two.changes()[-1] == ("forward", "X")
    assert two.changes(service="api")[-1] == ("rollback", "X")


def test_settings_of_a_service_that_is_not_there_yet_count_when_it_comes(story):
    """Configured first, deployed later."""
    story.at("08:00").configured(service="new", deployment_releases=False)
    story.at("09:00").deployed("A", service="new")
    assert story.current(service="new") is None
    assert story.deployed_version(service="new") == "A"


def test_an_approval_is_asked_for_only_where_it_is_configured(two):
    """And a false one of the service goes before the environment's true one."""
    two.at("09:10").configured(approval_required=True)
    two.at("09:20").configured(service="api", approval_required=False)
    assert "approval_missing" in two.warned("A")
    assert "approval_missing" not in two.warned("A", service="api")
