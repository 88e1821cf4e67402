"""What tests of sources share."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from support.promtool import Check, hold


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Hold the product's queries to values on made-up series."""
    return partial(hold, tmp_path)
