"""What a server measures of itself, for `/metrics`: one registry a service, so that two never mix."""

import re
from collections.abc import Callable
from concurrent.futures import Future

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from ledger.deciding import Receipt

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Measures:
    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._appended = Counter("lastgood_events_appended", "Events recorded.", registry=registry)
        self._duplicates = Counter(
            "lastgood_events_duplicate", "Events handed in that had been recorded before.", registry=registry
        )
        self._refused = Counter(
            "lastgood_commands_refused", "Requests to record that were refused, by why.", ["error"], registry=registry
        )
        self.request_seconds = Histogram(
            "lastgood_request_seconds",
            "Time from a request's head to its answer's head.",
            ["method", "endpoint", "status"],
            buckets=SECONDS,
            registry=registry,
        )
        self.streams = Gauge("lastgood_streams_open", "Live streams that are open.", registry=registry)
        ProcessCollector(registry=registry)

    def gauge(self, name: str, help_text: str, value: Callable[[], float]) -> None:
        """A measure that is looked up whenever somebody asks."""
        Gauge(name, help_text, registry=self.registry).set_function(value)

    def count_outcome(self, outcome: Future[list[Receipt]]) -> None:
        """Counts what became of a command."""
        error = outcome.exception()
        if error is not None:
            self._refused.labels(_snake(type(error).__name__)).inc()
            return
        receipts = outcome.result()
        duplicates = sum(receipt.duplicate for receipt in receipts)
        self._duplicates.inc(duplicates)
        self._appended.inc(len(receipts) - duplicates)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
