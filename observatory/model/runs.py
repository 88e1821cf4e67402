"""Runs of notebooks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class RunStatus(StrEnum):
    """How a run of a notebook goes, or went."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # a cell raised
    TIMED_OUT = "timed out"
    KERNEL_DIED = "kernel died"
    STOPPED = "stopped"  # somebody ended it
    LOST = "lost"  # its process ended without a word
    SKIPPED = "skipped"  # it was due, and not run


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a notebook.

    `job` and `due_at` tell which schedule asked for it, and for when; they are empty for a run by hand. `folder`
    holds the executed notebook and its report. `failed_cell` counts cells of code from 1. `process` is who runs it.
    """

    id: str
    notebook: str
    started_at: datetime
    seen_at: datetime
    status: RunStatus
    folder: str
    process: str
    parameters: dict[str, Any] = field(default_factory=dict)
    job: str = ""
    due_at: datetime | None = None
    ended_at: datetime | None = None
    failed_cell: int | None = None
    error: str = ""
