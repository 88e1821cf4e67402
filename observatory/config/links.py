"""Links to logs, traces and dashboards of other programs: tables ``[links.NAME]``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from observatory.config.types import Names

PLACES = re.compile(r"\{(service|namespace|name|trace_id|(?:start|end)(?:_s|_ms|_us|_ns)?)\}")
"""What is put into an address. Times are RFC 3339, or seconds, milliseconds, microseconds or nanoseconds since 1970."""
_ADDRESS = re.compile(r"https?://[^\s/{}@]+(/|$)")
NEEDS_SOURCE = ("grafana_loki", "grafana_tempo")
OF_TRACES = ("jaeger", "grafana_tempo")
"""Presets that can also show a single trace."""


class LinkSettings(BaseModel):
    """One link: ``[links.logs]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        min_length=1,
        max_length=4000,
        description="The address, with `{service}`, `{namespace}`, `{name}`, `{start}`, `{end}` or `{trace_id}` in it; "
        "with a preset, where the program is.",
    )
    preset: Literal["", "grafana_loki", "grafana_tempo", "jaeger", "kibana", "datadog"] = Field(
        "", description="How the address is made for a known program."
    )
    title: str = Field("", max_length=60, description="What the link is called; unset: as the table is.")
    datasource: str = Field("", description="For Grafana: the uid of the data source.")
    query: str = Field("", max_length=2000, description="What a preset looks for, in place of what it usually does.")
    services: Names = Field((), description="Patterns of the services that it is for. Empty: all.")

    @model_validator(mode="after")
    def _is_understood(self) -> Self:
        if not _ADDRESS.match(self.url):
            raise ValueError(
                "url: must begin with https:// or http:// and a host, without a password or a placeholder in them"
            )
        unknown = [one for one in re.findall(r"\{[^{}]*\}", self.url) if not PLACES.fullmatch(one)]
        if unknown:
            raise ValueError(
                f"url: {unknown[0][:60]} is not known; there are {{service}}, {{namespace}}, {{name}}, {{start}}, "
                "{end} and {trace_id}, and times with _s, _ms, _us or _ns"
            )
        if self.preset in NEEDS_SOURCE and not self.datasource:
            raise ValueError(f"datasource: {self.preset} needs the uid of the data source in Grafana")
        if not self.preset and (self.datasource or self.query):
            raise ValueError("datasource and query go with a preset: leave them out, or name one")
        return self


def wants_traces(links: Mapping[str, LinkSettings]) -> bool:
    """Whether any link leads to a single trace."""
    return any(one.preset in OF_TRACES or "{trace_id}" in one.url for one in links.values())
