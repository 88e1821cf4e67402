"""Requests, counted for ``/metrics``."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

NAME = "observatory"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Requests:
    """Counts requests of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        labels: dict[str, Any] = {"registry": self.registry, "namespace": NAME}
        self._count = Counter("http_requests", "Requests answered.", ["method", "route", "status"], **labels)
        self._seconds = Histogram(
            "http_request_seconds", "Time from the request to its answer.", ["route"], buckets=BUCKETS, **labels
        )

    def begin(self) -> None:
        """A request came in."""
        g.began = time.perf_counter()

    def end(self, response: Response) -> Response:
        """It is answered."""
        route = request.url_rule.rule if request.url_rule else "none"
        self._count.labels(request.method if request.url_rule else "any", route, response.status_code).inc()
        self._seconds.labels(route).observe(time.perf_counter() - g.began)
        return response


def install(app: Flask) -> None:
    """Count the requests of `app`."""
    counted = app.extensions["requests"] = Requests()
    app.before_request(counted.begin)
    app.after_request(counted.end)
