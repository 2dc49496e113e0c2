"""`/metrics`: what was counted, in Prometheus' form, made when somebody asks.

Each worker counts for itself and says so (label ``worker``, its process id).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from forecast.serving.counters import BOUNDS, Counters, Tally, age_and_missed
from forecast.serving.deps import no_parameters
from forecast.serving.headers import DATA_HEADERS
from forecast.serving.keys import authorize
from forecast.serving.limits import client_of, header, is_within
from forecast.serving.options import LOOPBACK_NETWORKS
from forecast.serving.service import Served, Service

if TYPE_CHECKING:
    from prometheus_client.core import Metric

LEVELS = ("vert", "orange", "rouge", "noir")

metrics = APIRouter()


@metrics.get("/metrics", include_in_schema=False)
async def exposition(request: Request) -> Response:
    """Everything counted, for Prometheus: from this machine, or with a key of scope metrics."""
    scope = request.scope
    no_parameters(request)
    forwarded = header(scope, b"x-forwarded-for") or header(scope, b"forwarded")
    if forwarded is not None or not is_within(client_of(scope), LOOPBACK_NETWORKS):
        authorize(request, "metrics")
    from prometheus_client import CollectorRegistry, ProcessCollector
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

    registry = CollectorRegistry()
    registry.register(Collector(request.app.state))
    ProcessCollector(registry=registry)
    shared = {name.decode(): value.decode() for name, value in DATA_HEADERS}
    return Response(
        generate_latest(registry),
        headers={"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store", **shared},
    )


class Collector:
    """Turns the state of the application into metric families when Prometheus asks."""

    def __init__(self, state: Any) -> None:
        self._counters: Counters = state.counters
        self._service: Service = state.service
        self._clock: Callable[[], datetime] = state.clock

    def collect(self) -> Iterator[Metric]:
        """Every metric of this process."""
        yield from self._requests()
        yield from self._publication()
        served = self._service.served
        if served is not None:
            yield from self._sources(served)
            yield from self._said(served)

    def _requests(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        worker = str(os.getpid())
        count = CounterMetricFamily(
            "afflux_requests", "Requests answered.", labels=["route", "status", "worker"]
        )
        times = HistogramMetricFamily(
            "afflux_request_seconds", "Time to answer [s].", labels=["route", "worker"]
        )
        routes: dict[str, Tally] = {}
        for (route, status), tally in sorted(self._counters.by_route().items()):
            count.add_metric([route, str(status), worker], tally.count)
            routes.setdefault(route, Tally()).join(tally)
        for route, tally in routes.items():
            total, buckets = 0, []
            for bound, number in zip((*map(str, BOUNDS), "+Inf"), tally.bounds, strict=True):
                total += number
                buckets.append((bound, total))
            times.add_metric([route, worker], buckets, tally.seconds)
        yield count
        yield times

    def _publication(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        service = self._service
        yield CounterMetricFamily(
            "afflux_publications_refused",
            "Publications that were corrupt and not served.",
            value=service.refusals,
        )
        yield GaugeMetricFamily(
            "afflux_publication_refused",
            "1 while the newest publication is refused.",
            value=float(service.refused is not None),
        )
        if service.served is None:
            return
        age, missed = age_and_missed(service.served, self._clock())
        yield GaugeMetricFamily(
            "afflux_publication_age_seconds", "Time since publication [s].", value=age
        )
        yield GaugeMetricFamily(
            "afflux_publication_missed_runs", "Publications that should have come.", value=missed
        )

    def _sources(self, served: Served) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        ages = GaugeMetricFamily(
            "afflux_source_age_seconds", "Time since the newest row came [s].", labels=["source"]
        )
        missed = GaugeMetricFamily(
            "afflux_source_missed_runs", "Deliveries that should have come.", labels=["source"]
        )
        fresh = GaugeMetricFamily("afflux_source_fresh", "1 if on time.", labels=["source"])
        now = self._clock()
        for status in json.loads(bytes(served.answers["/v1/zones"].body))["metadata"]["sources"]:
            name = [status["source"]]
            if status["read_at"] is not None:
                read_at = datetime.fromisoformat(status["read_at"])
                ages.add_metric(name, max(0.0, (now - read_at).total_seconds()))
            missed.add_metric(name, status["missed_runs"])
            fresh.add_metric(name, float(status["fresh"]))
        yield from (ages, missed, fresh)

    def _said(self, served: Served) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        levels = GaugeMetricFamily(
            "afflux_forecast_levels", "Zone-days of the forecast by level.", labels=["level"]
        )
        body = bytes(served.answers["/v1/forecasts"].body)
        for level in LEVELS:
            # Bytes are counted, not parsed: within a JSON string these quotes would be escaped.
            levels.add_metric([level], body.count(b'"level":"%s"' % level.encode()))
        yield levels
        yield from coverage(served)


def coverage(served: Served) -> Iterator[Metric]:
    """How often the bands held over the last 30 days scored, where the publication says it."""
    from prometheus_client.core import GaugeMetricFamily

    recent: Mapping[str, Any] = served.publication.manifest.get("last_30_days", {})
    if not recent.get("zone_days"):
        return
    held = GaugeMetricFamily(
        "afflux_coverage_ratio", "Days within the band, last 30 days.", labels=["band"]
    )
    for band in ("80", "50"):
        if recent.get(f"coverage_{band}") is not None:
            held.add_metric([band], recent[f"coverage_{band}"])
    yield held
