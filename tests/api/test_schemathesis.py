"""Everything the OpenAPI document describes, tried on a real server by schemathesis."""

from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from ledger.events import EVENTS

pytestmark = pytest.mark.slow

EXAMPLES = 12
PATIENT = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
ENDLESS = "/v1/events/stream"
MET_BY_WHAT_IS_RIGHT = ["2xx", 304, 400, 404, 409, 412, 413]
"""A request of the right form may meet these all the same: it depends on what is recorded."""

MET_BY_WHAT_IS_WRONG = [207, 400, 404, 405, 406, 409, 413, 415, 422]
"""207: each event by itself, and what is wrong with one is told in its own problem."""


@pytest.fixture(scope="module")
def document(server):
    """Without the live stream, which does not end, and without the need of a token, which every request bears."""
    checks = {
        "positive_data_acceptance": {"expected-statuses": MET_BY_WHAT_IS_RIGHT},
        "negative_data_rejection": {"expected-statuses": MET_BY_WHAT_IS_WRONG},
    }
    said = server.client(None).get("/openapi.json").json()
    del said["security"]
    loaded = schemathesis.openapi.from_dict(said, config=SchemathesisConfig.from_dict({"checks": checks}))
    loaded.config.update(base_url=server.url)
    return loaded.exclude(path=ENDLESS)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.name.lower())
def test_the_server_does_as_its_document_says(server, document, subtests, mode):
    """Statuses, media types and bodies are as documented; what breaks a schema is refused, what keeps it is not."""
    headers = {"Authorization": "Bearer " + server.token("responder", "admin")}
    tried = 0
    for found in document.get_all_operations():
        operation = found.ok()

        @PATIENT
        @given(case=operation.as_strategy(generation_mode=mode))
        def does_as_documented(case):
            free = depends_on_the_record(case.body) or contradicts_itself(case.query)
            excluded = [positive_data_acceptance] if free else []
            case.call_and_validate(headers=headers, excluded_checks=excluded)

        # What takes anything cannot be asked wrongly.
        with subtests.test(operation=operation.label), suppress(Unsatisfiable):
            does_as_documented()
        tried += 1
    assert tried >= 3


def depends_on_the_record(body):
    """Whether an event is about others in the record: those must be there."""
    events = body if isinstance(body, list) else [body]
    types = {each.get("type") for each in events if isinstance(each, dict)}
    return any(topic in EVENTS and EVENTS[topic].STREAM[0] == "record" for topic in types if isinstance(topic, str))


def contradicts_itself(query):
    """Whether a bundle is asked for without words and with a report, which is made of words: no schema of one member says so."""
    return "report" in (query or {}) and str(query.get("words")).lower() == "false"
