"""Services and surveys of sources as tables."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping

import pandas as pd

from observatory.catalog import METRICS
from observatory.health.overview import ServiceStatus
from observatory.model import NameRule, RuleKind
from observatory.sources.prometheus.survey import Found
from observatory.times import TIME


def service_table(services: Iterable[ServiceStatus], samples: Mapping[Hashable, int]) -> pd.DataFrame:
    """A row a registered service: the number of its samples, the time of the newest, and whether it still reports."""
    rows = [
        {
            "service": status.name,
            "source": status.service.source,
            "team": status.service.team or "",
            "tier": status.service.tier or "",
            "samples": samples.get(status.name, 0),
            "newest": f"{status.at:{TIME}}" if status.at else "",
            "state": status.state,
        }
        for status in sorted(services, key=lambda status: status.name)
    ]
    return pd.DataFrame(rows, columns=["service", "source", "team", "tier", "samples", "newest", "state"])


def kept_table(services: Iterable[str], counts: pd.DataFrame) -> pd.DataFrame:
    """A row a service: what is stored of it; `counts` are those of `Store.sample_counts`."""
    known = counts.to_dict("index")
    rows = [
        (name, row["samples"], f"{row['first']:{TIME}}", f"{row['last']:{TIME}}")
        if (row := known.get(name))
        else (name, 0, "", "")
        for name in services
    ]
    return pd.DataFrame(rows, columns=["service", "samples", "oldest", "newest"])


def rule_table(rules: Iterable[NameRule]) -> pd.DataFrame:
    """A row a rule about names."""
    what = {
        RuleKind.RENAME: "renamed",
        RuleKind.DEPLOY: "deploys of",
        RuleKind.APART: "kept apart, not",
        RuleKind.EXCLUDE: "excluded",
    }
    rows = [(rule.pattern, what[rule.kind], rule.becomes, f"{rule.made_at:{TIME}}") for rule in rules]
    return pd.DataFrame(rows, columns=["name or pattern", "", "service", "since"])


def survey_table(found: Iterable[Found]) -> pd.DataFrame:
    """A row a family: its services, one of them, and for each metric how many have a value; a dot where it has none."""
    found = list(found)
    metrics = [name for name in METRICS if any(name in one.series or name in one.refused for one in found)]
    rows = [
        {
            "preset": one.preset,
            "reads": one.family or "the settings",
            "services": len(one.services),
            "example": one.services[0] if one.services else "–",
        }
        | {
            name: "refused" if name in one.refused else str(one.series[name]) if name in one.series else "·"
            for name in metrics
        }
        for one in found
    ]
    return pd.DataFrame(rows, columns=["preset", "reads", "services", "example", *metrics])
