"""What the demo shop changes: most deployments do nothing, one of the past and one live are why a cascade begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from observatory.model import Change, ChangeKind, change_id

BEFORE_FAULT, BEFORE_LIVE_FAULT = timedelta(seconds=90), timedelta(seconds=30)
"""How long before a cascade the deployment is that is its cause."""


class Planned(NamedTuple):
    """A change at so many hours before the anchor, in a history of a week."""

    service: str
    hours: float
    kind: ChangeKind
    version: str
    summary: str


HARMLESS = (
    Planned("shop/frontend", 139.6, ChangeKind.DEPLOYMENT, "5.11.0", "Larger pictures of products"),
    Planned("shop/email", 121.3, ChangeKind.DEPLOYMENT, "1.9.4", "Newer templates"),
    Planned("shop/checkout", 98.2, ChangeKind.DEPLOYMENT, "3.2.1", "Round prices as the bank does"),
    Planned("shop/orders-db", 84.7, ChangeKind.CONFIG, "", "Larger cache of pages"),
    Planned("shop/payments", 66.4, ChangeKind.DEPLOYMENT, "4.7.0", "Accept another card"),
    Planned("shop/recommendations", 50.1, ChangeKind.DEPLOYMENT, "2.0.3", "Forget what is sold out"),
    Planned("shop/catalog", 33.8, ChangeKind.DEPLOYMENT, "7.4.0", "Sort by price"),
    Planned("shop/sessions", 21.5, ChangeKind.RESTART, "", "all pods were started anew"),
    Planned("shop/frontend", 11.2, ChangeKind.DEPLOYMENT, "5.12.0", "A banner for the sale"),
    Planned("shop/search", 4.4, ChangeKind.FLAG, "", "Suggest words for every visitor"),
)
GUILTY = ("cascade", "shop/inventory", "6.3.0", "Count stock by warehouse")
"""The fault of the past that begins with a deployment, by kind and service."""
LIVE = ("shop/payments", "4.8.0", "Ask the bank again where it does not answer")


def planned(anchor: datetime, scale: float) -> list[Change]:
    """The harmless ones, laid out as the faults of the past are."""
    return [
        _change(one.service, anchor - timedelta(hours=one.hours * scale), one.kind, one.version, one.summary)
        for one in HARMLESS
    ]


def guilty(start: datetime) -> Change:
    """The deployment before the cascade of the past that begins at `start`."""
    _, service, version, summary = GUILTY
    return _change(service, start - BEFORE_FAULT, ChangeKind.DEPLOYMENT, version, summary)


def live(start: datetime) -> Change:
    """The deployment before the first live cascade, which begins at `start`."""
    service, version, summary = LIVE
    return _change(service, start - BEFORE_LIVE_FAULT, ChangeKind.DEPLOYMENT, version, summary)


def _change(service: str, at: datetime, kind: ChangeKind, version: str, summary: str) -> Change:
    at = at.replace(microsecond=0)
    return Change(change_id(service, at, kind, version, summary), service, at, kind, version, summary, source="demo")
