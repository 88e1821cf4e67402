"""A target that hands out exemplars with its histogram, as OpenMetrics has them."""

from __future__ import annotations

import time

from support.servers import FaultyServer, Reply

KIND = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def exposition(traces: dict[str, float], label: str = "trace_id") -> bytes:
    """Requests that took so long [s], each with its trace; the counts grow with every scrape."""
    count = int(time.time())
    lines = [
        "# TYPE http_server_request_duration_seconds histogram",
        "# UNIT http_server_request_duration_seconds seconds",
    ]
    bounds = [0.1, 0.5, 1.0, 5.0, float("inf")]
    for number, bound in enumerate(bounds):
        lower = bounds[number - 1] if number else 0.0
        inside = [(trace, took) for trace, took in traces.items() if lower < took <= bound]
        text = "+Inf" if bound == float("inf") else f"{bound}"
        line = f'http_server_request_duration_seconds_bucket{{http_response_status_code="200",le="{text}"}} {count}'
        for trace, took in inside[-1:]:
            line += f' # {{{label}="{trace}"}} {took} {time.time():.3f}'
        lines.append(line)
    lines += [
        f'http_server_request_duration_seconds_sum{{http_response_status_code="200"}} {count * 0.2}',
        f'http_server_request_duration_seconds_count{{http_response_status_code="200"}} {count}',
        "# EOF",
        "",
    ]
    return "\n".join(lines).encode()


def target(traces: dict[str, float], label: str = "trace_id") -> FaultyServer:
    """A server that answers each scrape with them."""
    return FaultyServer(choose=lambda _: Reply(200, exposition(traces, label), headers={"Content-Type": KIND}))
