"""What the log measures of itself, for `/metrics`: looked up whenever somebody asks."""

import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from api.transparency import Log


class LogMeasures:
    """A collector for Prometheus."""

    def __init__(self, log: Log, registry: CollectorRegistry) -> None:
        self._log = log
        registry.register(self)

    def describe(self) -> list[Metric]:
        """Nothing is asked of the log while it is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        sealing = self._log.sealing
        if (sealed := sealing.sealed) is not None:
            yield GaugeMetricFamily("lastgood_checkpoint_size", "Events in the newest checkpoint.", sealed.size)
            age_s = max(0.0, time.time() - sealed.signed_at)
            yield GaugeMetricFamily("lastgood_checkpoint_age_seconds", "Since the newest checkpoint was signed.", age_s)
        unsealed = self._log.unsealed()
        yield GaugeMetricFamily("lastgood_unsealed_events", "Events recorded and in no checkpoint yet.", unsealed)
        unverified = sealing.trouble is not None
        yield GaugeMetricFamily("lastgood_record_unverified", "1 if the record is not what was signed.", unverified)
        failing = sealing.failure is not None
        yield GaugeMetricFamily("lastgood_sealing_failing", "1 if the last attempt to seal failed.", failing)
        yield from self._witnesses()

    def _witnesses(self) -> Iterator[Metric]:
        size = GaugeMetricFamily("lastgood_witness_size", "Events in what it cosigned last.", labels=["witness"])
        age = GaugeMetricFamily("lastgood_witness_age_seconds", "Since its newest cosignature.", labels=["witness"])
        failures = CounterMetricFamily("lastgood_witness_failures", "Attempts that failed.", labels=["witness"])
        for each in self._log.witnesses:
            name = [each.witness.name]
            size.add_metric(name, each.size)
            failures.add_metric(name, each.failures)
            if (age_s := each.age_s()) is not None:
                age.add_metric(name, age_s)
        yield from (size, age, failures)
