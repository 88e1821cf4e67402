"""What answers about changes of services are made of."""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from observatory.analysis.before_after import BeforeAfter
from observatory.api.schemas import examples
from observatory.api.schemas.responses import Answer
from observatory.model import ChangeKind


class Change(Answer):
    """A change of one service at a moment."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHANGE]})

    id: str = Field(description="Stays the same, whatever else is reported of it later.")
    service_name: str
    at: datetime = Field(description="When it began.")
    kind: ChangeKind
    version: str = Field(description="What runs after it; empty where nobody said.")
    summary: str
    url: str = Field(description="Where to read more; may be empty.")
    source: str = Field(description="The metrics source that showed it, or who reported it.")


class Difference(Answer):
    """One metric before and after a change: medians, in base units."""

    metric: str
    before: float | None
    after: float | None
    expected: float | None = Field(description="What the time of day alone would have made of `before`.")
    noise: float | None = Field(description="How far from that `after` may be without a reason.")
    more_than_noise: bool | None = Field(description="null where too little is known of the time before.")
    worse: bool = Field(description="Whether it is more than noise, in the direction in which the metric gets worse.")


class ComparedChange(Change):
    """A change, and what each metric of its service did over it."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPARED]})

    start: datetime = Field(description="Where the time before begins: half an hour, less where another change is.")
    end: datetime = Field(description="Where the time after ends.")
    differences: list[Difference] = Field(description="Empty where there are not enough samples on both sides.")

    @classmethod
    def of(cls, found: BeforeAfter) -> ComparedChange:
        """From the comparison."""
        differences = [
            Difference(
                metric=one.metric.name,
                before=one.before,
                after=one.after,
                expected=one.expected,
                noise=one.noise,
                more_than_noise=one.is_more,
                worse=one.is_worse,
            )
            for one in found.differences
        ]
        facts = Change.model_validate(found.change).model_dump()
        return cls(**facts, start=found.start, end=found.end, differences=differences)


class ChangePage(Answer):
    """Changes, the newest first."""

    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHANGES]})

    start: datetime
    end: datetime
    changes: list[Change]
    next: str | None = Field(description="Path and query of the next page; null on the last.")
