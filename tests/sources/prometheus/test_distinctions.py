"""What tells services apart, kept over restarts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observatory.sources.prometheus.distinctions import Distinctions

pytestmark = pytest.mark.slow

TOLD = st.builds(Distinctions, st.lists(st.text(), unique=True).map(tuple), st.dictionaries(st.text(), st.text()))


@given(TOLD)
def test_what_was_told_apart_is_kept_as_a_text(told: Distinctions) -> None:
    assert Distinctions.from_text(told.to_text()) == told
    assert Distinctions.from_text(None) == Distinctions.from_text("") == Distinctions()


@given(TOLD, TOLD)
def test_what_was_seen_first_counts_and_nothing_is_lost(before: Distinctions, now: Distinctions) -> None:
    both = before.with_more(now.clusters, now.jobs)
    assert both.clusters[: len(before.clusters)] == before.clusters
    assert set(both.clusters) == {*before.clusters, *now.clusters}
    assert both.jobs == {**now.jobs, **before.jobs}
    assert both.with_more(now.clusters, now.jobs) == both
