"""/metrics, in the format that the scraper asks for: Prometheus' text format or OpenMetrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

    from clients.http.backend import Backend


class _Collector:
    """Asks the server each time, so nothing has to be counted twice."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def collect(self) -> Iterator[Metric]:
        for each in self._backend.measure():
            metric = Metric(each.name.removesuffix("_total"), each.help, each.kind)
            for name, labels, value in each.samples:
                metric.add_sample(name, labels, value)
            yield metric


def route(backend: Backend) -> Route:
    """The route, about this server and its process."""
    registry = CollectorRegistry()
    registry.register(_Collector(backend))
    ProcessCollector(registry=registry)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"Content-Type": content_type})

    return Route("/metrics", metrics)
