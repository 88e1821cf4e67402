"""Why a connection failed, in a few words that show no secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def may_want_certificate(cause: str, *, is_bare: bool) -> bool:
    """A server that misses a certificate of ours may say so, or just hang up: which of it arrives is a race.

    `is_bare` is whether TLS was spoken without one.
    """
    said = ("certificate required", "handshake failure", "bad certificate")
    hung_up = ("EOF occurred", "reset by peer", "Broken pipe", "without response")
    return any(word in cause for word in said) or (is_bare and any(word in cause for word in hung_up))


def way_out_of_distrust(cause: str, setting: Callable[[str], str], *, wants_certificate: bool) -> str:
    """What to set where no trusted connection came about; `setting` tells how a setting is named."""
    if wants_certificate:
        return f"does it want a certificate of yours? Name it with {setting('cert_file')}"
    if "wrong version number" in cause or "record layer failure" in cause:
        return f"does it speak TLS at all? Try http:// in {setting('url')}"
    if "mismatch" in cause or "not valid for" in cause:
        return f"use the name its certificate is for in {setting('url')}"
    if "expired" in cause:
        return "renew it"
    return f"name its authority with {setting('ca_file')}"


def cause_of(error: BaseException) -> str:
    """The innermost reason, as the operating system puts it."""
    reason: Any = error
    while True:
        inner = getattr(reason, "reason", None) or reason.__cause__ or reason.__context__
        if not isinstance(inner, BaseException):
            break
        reason = inner
    text = str(reason)
    for known, words in (
        ("refused", "connection refused"),
        ("Name or service not known", "unknown host"),
        ("Failed to resolve", "unknown host"),
        ("Temporary failure in name resolution", "unknown host"),
        ("Hostname mismatch", "certificate is not valid for this name"),
        ("IP address mismatch", "certificate is not valid for this address"),
        ("certificate has expired", "certificate has expired"),
        ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed"),
        ("CERTIFICATE_REQUIRED", "certificate required"),
        ("WRONG_VERSION_NUMBER", "wrong version number"),
        ("Invalid URL", "invalid address"),  # the text goes on with the address, password and all
        ("Failed to parse", "invalid address"),
        ("header value", "a header that cannot be sent"),  # and here with the secret
    ):
        if known in text:
            return words
    return text.split("\n")[0][:120] or type(reason).__name__
