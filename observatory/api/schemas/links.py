"""What answers about links and traces are made of."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from observatory import model
from observatory.api.schemas import examples
from observatory.api.schemas.requests import _TIME, Name, Query
from observatory.api.schemas.responses import Answer


class LinksQuery(Query):
    """Query of links."""

    service: Name = Field(description="Of this service.", examples=[examples.SERVICE])
    start: str = Field("-1h", max_length=100, description=f"From. {_TIME}")
    end: str = Field("now", max_length=100, description=f"Until. {_TIME}")
    traces: bool = Field(True, description="Whether the source is asked for traces of slow requests.")


class Link(Answer):
    """Where another program shows more."""

    title: str
    url: str

    @classmethod
    def of(cls, link: model.Link) -> Link:
        """From one that was made."""
        return cls(title=link.title, url=link.url)


class Trace(Answer):
    """A slow request that the source remembers, with its trace."""

    at: datetime
    seconds: float = Field(description="How long it took.")
    trace_id: str
    links: list[Link]


class Links(Answer):
    """Links of a service, and traces of its slowest requests."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.LINKS]})

    service_name: str
    start: datetime
    end: datetime
    links: list[Link]
    traces: list[Trace] = Field(description="The slowest first; at most ten.")
    note: str = Field(description="Why there are no traces; empty where there are some, or none were asked for.")
