"""A report of each incident that ended: the notebook ``incident_report``, run by papermill in a process of its own."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from observatory.config import Settings
from observatory.config.environment import child_environment
from observatory.model import Incident, IncidentChanges, IncidentEvent, IncidentState, RunStatus, Severity
from observatory.notebooks.run import make_folder
from observatory.process import wait_or_end
from observatory.store import Store

log = logging.getLogger(__name__)

NOTEBOOK = "incident_report"
WITHIN = timedelta(hours=1)
"""An incident that ended longer ago gets no report any more."""
TIMEOUT = "10m"
PATIENCE = 10.0
"""How long a process that is told to end may take [s]."""


@dataclass(frozen=True, slots=True)
class Making:
    """A report that is being made."""

    incident_id: str
    folder: Path
    process: subprocess.Popen[bytes]


class IncidentReports:
    """Has reports made, one at a time, of incidents that end from now on.

    Parameters
    ----------
    store
        Where the incidents are; a line in the timeline of each says where its report is.
    settings
        `incident_reports` is the least severity, at its worst, that is worth one.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._least = None if settings.incident_reports is None else Severity(settings.incident_reports)
        if self._least is not None and settings.store == ":memory:":
            log.warning("no reports of incidents: a store in memory cannot be shared with the process that makes them")
            self._least = None
        self._since: datetime | None = None
        self._making: Making | None = None

    def follow(self, now: datetime) -> None:
        """Note down a report that is finished, and begin the next one that is due."""
        if self._least is None:
            return
        self._since = self._since or now
        if self._making is not None and self._making.process.poll() is not None:
            self._finish(self._making, now)
            self._making = None
        if self._making is None and (due := self._next(now)) is not None:
            self._making = self._begin(due, now)

    def close(self) -> None:
        """End the process that makes a report; the next start does not take it up again."""
        if self._making is not None:
            self._making.process.terminate()
            wait_or_end(self._making.process, PATIENCE, PATIENCE)
            self._making = None

    def _next(self, now: datetime) -> Incident | None:
        """The oldest incident of those that ended and lack a report."""
        ended = self._store.incidents.recent(now - WITHIN)
        for incident in ended:
            ended_at = incident.resolved_at
            if incident.state is not IncidentState.RESOLVED or ended_at is None:
                continue
            if self._since is None or ended_at <= max(self._since, now - WITHIN):
                continue
            if self._least is not None and incident.peak.rank <= self._least.rank:
                events = self._store.incidents.events(incident.id)
                if not any(event.kind == "report" and event.at >= ended_at for event in events):
                    return incident
        return None

    def _begin(self, incident: Incident, now: datetime) -> Making:
        folder = (self._settings.runs / f"incident-{incident.id}-{now:%Y%m%dT%H%M%SZ}").absolute()
        make_folder(folder)
        command = [sys.executable, "-m", "observatory", "run", NOTEBOOK, "-p", "incident", incident.id]
        command += ["-p", "end", "now", "-o", str(folder), "--timeout", TIMEOUT]
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=child_environment(self._settings)
            )
        return Making(incident.id, folder, process)

    def _finish(self, made: Making, now: datetime) -> None:
        runs = self._store.runs.last(50, notebook=NOTEBOOK)
        run = next((one for one in runs if one.folder == str(made.folder)), None)
        if run is not None and run.status is RunStatus.DONE:
            text = f"report: /api/runs/{run.id}/report"
        else:
            with contextlib.suppress(OSError):
                log.warning("the report of incident %s failed: %s", made.incident_id, _last_line(made.folder / "log"))
            text = f"the report could not be made: see {made.folder / 'log'}"
        event = IncidentEvent(made.incident_id, now, "report", text)
        self._store.incidents.change(made.incident_id, lambda held: IncidentChanges((), (event,)))


def _last_line(file: Path) -> str:
    lines = file.read_text("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
