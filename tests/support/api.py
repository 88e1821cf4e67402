"""Reading answers, and being strict about them."""

from __future__ import annotations

import json
from typing import Any

from support.canaries import SECRETS


def strict(response: Any) -> Any:
    """The body, read as the standard has it: NaN and infinity are errors."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the answer of {response.request.path}")

    return json.loads(response.get_data(as_text=True), parse_constant=refuse)


def problem(response: Any, status: int) -> dict[str, Any]:
    """The body of an error, which must be a problem document of that status."""
    body: dict[str, Any] = strict(response)
    assert not SECRETS.search(str(body)), "a secret in an error"
    assert response.status_code == status, body
    assert response.content_type == "application/problem+json"
    assert (
        {"type", "title", "status", "detail", "instance"}
        <= body.keys()
        <= {
            "type",
            "title",
            "status",
            "detail",
            "instance",
            "errors",
        }
    )
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    for fault in body.get("errors", []):
        assert fault.keys() == {"name", "value", "reason"}
    return body
