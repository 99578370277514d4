"""
A small world for tests of endpoints: a service of its own in a shared server, and short words for what happens to it.
"""

import itertools
import uuid
from datetime import UTC, datetime, timedelta


class World:
    """Events about one service, sent by whom may send them. Times are minutes after a start of its own."""

    def __init__(self, server, environment="production"):
        self.service = f"svc-{uuid.uuid4().hex[:12]}"
        self.environment = environment
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
        self.responder = server.client("responder")
        self.pipeline = server.client("pipeline")
        self.auditor = server.client("auditor")
        self._numbers = itertools.count(1)

    @property
    def slot(self):
        return {"service": self.service, "environment": self.environment}

    def at(self, minutes):
        return (self.start + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")

    def tell(self, topic, minutes=None, by=None, **data):
        """The receipt of an event of this slot; a member given as None is left out."""
        given = {**self.slot, **{name.rstrip("_"): value for name, value in data.items()}}
        event = {"type": topic, "data": {name: value for name, value in given.items() if value is not None}}
        if minutes is not None:
            event["time"] = self.at(minutes)
        answer = (by or self.responder).post("/v1/events", event)
        assert answer.status == 201, answer.body
        return answer.json()

    def deployed(self, version, minutes=None, **data):
        return self.tell(
            "deployment.succeeded", minutes, deployment_id=f"d{next(self._numbers)}", version=version, **data
        )

    def get(self, path, by=None, **query):
        """The answer about this slot, with all that was recorded counted in."""
        client = by or self.auditor
        answer = client.get(path, **{**self.slot, **query})
        assert answer.status == 200, answer.body
        return answer.json()

    def seen(self, receipt, path="/v1/slot", **query):
        """The answer that counts in what a receipt is of."""
        return self.get(path, at_least=receipt["position"], **query)
