"""How series say whether a request failed: labels with status codes, outcomes or words.

A label is known by its values, not by its name alone. What has no such label has no error rate; it is not 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

HTTP = re.compile(r"[1-5][0-9][0-9]|[1-5]xx", re.IGNORECASE)
GRPC = re.compile(
    r"ok|cancell?ed|unknown|invalid_?argument|deadline_?exceeded|not_?found|already_?exists|permission_?denied"
    r"|resource_?exhausted|failed_?precondition|aborted|out_?of_?range|unimplemented|internal|unavailable|data_?loss"
    r"|unauthenticated",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[0-9]|1[0-6]")
WORD = re.compile(
    r"(?:status_code_)?(?:ok|unset|error)|success|successful|succeeded|server_error|client_error|redirection"
    r"|informational|fail|failed|failure|errors?",
    re.IGNORECASE,
)

FAILED = (
    "(?i:5[0-9][0-9]|5xx|(?:status_code_)?errors?|server_error|fail|failed|failure"
    "|deadline_?exceeded|resource_?exhausted|unimplemented|internal|unavailable|data_?loss)"
)
"""Failures in any of these languages, where they do not depend on it."""
FAILED_RPC = FAILED[:-1] + "|unknown|2|4|8|12|13|14|15)"
"""The same of a label of gRPC, with its numbers."""

FLAGS = {"error": "true", "is_error": "true", "failed": "true", "success": "false", "is_success": "false"}
"""Labels that say yes or no, and what they say of a request that failed."""

LABELS = (
    "code",
    "status_code",
    "http_response_status_code",
    "http.response.status_code",
    "http_status_code",
    "http.status_code",
    "response_code",
    "http_code",
    "grpc_code",
    "rpc_grpc_status_code",
    "rpc.grpc.status_code",
    "rpc_response_status_code",
    "rpc.response.status_code",
    "grpc_status",
    "grpc_status_code",
    "status",
    "http_status",
    "status_class",
    "code_class",
    "outcome",
    "classification",
    "result",
    "state",
    *FLAGS,
)
"""Names that are known to tell it, the most telling first."""
SOUNDS_LIKE_ONE = re.compile(r"(?i)(?:code|status|outcome)")


@dataclass(frozen=True, slots=True)
class StatusLabel:
    """A label that says how a request ended, and the pattern of the values that mean it failed."""

    name: str
    failed: str


def status_labels(values: Mapping[str, Sequence[str]]) -> list[StatusLabel]:
    """Of labels with their values those that tell failures, the most telling first.

    A label counts where at least half of its values are codes or words that are known.

    >>> [label.name for label in status_labels({"status": ["2xx", "5xx"], "code": ["abc", "de"]})]
    ['status']
    """
    found = []
    for name in sorted(
        values, key=lambda name: (name not in LABELS, LABELS.index(name) if name in LABELS else 0, name)
    ):
        told = [value for value in values[name] if value]
        if name in FLAGS and told and {value.lower() for value in told} <= {"true", "false"}:
            found.append(StatusLabel(name, f"(?i:{FLAGS[name]})"))
            continue
        is_rpc = _is_rpc(name, told)
        known = [value for value in told if _is_known(value, is_rpc, any(map(HTTP.fullmatch, told)))]
        if known and len(known) * 2 >= len(told):
            found.append(StatusLabel(name, FAILED_RPC if is_rpc else FAILED))
    return found


def _is_rpc(name: str, values: Sequence[str]) -> bool:
    """Whether a label is one of gRPC: by its name, or as it has words of gRPC and nothing else.

    Many of them are everyday words: what is internal has not failed where other requests are external, and Micrometer
    says UNKNOWN beside HTTP's codes where a caller was gone.
    """
    if "rpc" in name.lower():
        return True
    return all(map(GRPC.fullmatch, values)) and any(value == "ok" or value[0].isupper() for value in values)


def _is_known(value: str, is_rpc: bool, is_of_codes: bool) -> bool:
    if is_rpc and NUMBER.fullmatch(value):
        return True
    return bool(HTTP.fullmatch(value) or WORD.fullmatch(value) or ((is_rpc or is_of_codes) and GRPC.fullmatch(value)))
