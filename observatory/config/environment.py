"""Settings handed to child processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from observatory.config.location import PREFIX, config_file
from observatory.config.settings import Settings

FOR_A_REPORT = "_OBSERVATORY_FOR_A_REPORT"


@contextmanager
def for_a_report() -> Iterator[None]:
    """Tell child processes that are started meanwhile that a report is made of what they show."""
    before = os.environ.get(FOR_A_REPORT)
    os.environ[FOR_A_REPORT] = "1"
    try:
        yield
    finally:
        os.environ.pop(FOR_A_REPORT)
        if before is not None:
            os.environ[FOR_A_REPORT] = before


def is_for_a_report() -> bool:
    """Whether this process is one of them: a kernel whose live views bring a still along."""
    return FOR_A_REPORT in os.environ


def environment_of(**settings: Any) -> dict[str, str]:
    """The environment of another process with the same settings, but for those given."""
    return dict(os.environ) | {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def environment_with(values: Mapping[str, str]) -> Iterator[None]:
    """Processes that are started while the block runs have these variables too."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)


def child_environment(settings: Settings) -> dict[str, str]:
    """The environment for a process that works elsewhere with the same settings: places in them become absolute."""
    places = {"RUNS": str(settings.runs.absolute())}
    if "://" not in settings.store and ":" not in settings.store.partition("/")[0]:
        places["STORE"] = str(Path(settings.store).absolute())
    if config_file().is_file():
        places["CONFIG"] = str(config_file().absolute())
    return os.environ | {f"{PREFIX}{name}": value for name, value in places.items()}
