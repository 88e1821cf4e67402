"""What stands in front of a server: forwards requests to it, and misbehaves as real proxies do."""

from __future__ import annotations

from collections.abc import Callable

import requests
from support.servers import Reply, Request


def forward(upstream: str) -> Callable[[Request], Reply]:
    """Answers as the server at `upstream` does."""

    def answer(request: Request) -> Reply:
        there = requests.request(
            request.method,
            upstream + request.path,
            data=request.body or None,
            headers={"Content-Type": request.headers.get("Content-Type", "")},
            allow_redirects=False,
            timeout=30,
        )
        return Reply(there.status_code, there.content, {"Content-Type": there.headers.get("Content-Type", "")})

    return answer


def without_post(upstream: str, status: int) -> Callable[[Request], Reply]:
    """Allows GET only, as the access rules of OpenShift and AKS do."""
    onward = forward(upstream)

    def answer(request: Request) -> Reply:
        if request.method == "POST":
            return Reply(
                status, b"Forbidden (user=system:serviceaccount:obs:reader, verb=create, resource=prometheuses)"
            )
        return onward(request)

    return answer


def below(upstream: str, prefix: str, missed: Reply) -> Callable[[Request], Reply]:
    """Has the API below `prefix`, and `missed` anywhere else."""
    onward = forward(upstream)

    def answer(request: Request) -> Reply:
        if not request.path.startswith(f"{prefix}/api/v1/"):
            return missed
        return onward(Request(request.path.removeprefix(prefix), request.headers, {}, request.method, request.body))

    return answer
