"""The workbench in a person's hands: one object to explore a store with, in JupyterLab or any Python shell.

>>> wb = Workbench("demo", demo_days=0.2)
>>> wb.services.index[0]
'shop/cart'
>>> wb.close()
"""

from __future__ import annotations

import atexit
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from observatory.analysis.before_after import BeforeAfter, before_after
from observatory.analysis.history import ServiceHistory, service_history
from observatory.analysis.incident_report import IncidentReport, incident_report
from observatory.analysis.related import related
from observatory.analysis.similar_incidents import similar_incidents
from observatory.analysis.what_if import SENSITIVITIES, what_if
from observatory.annotations.occurrences import state_at
from observatory.catalog import present
from observatory.config.location import DEMO, OF_SETTINGS
from observatory.display.anomalies import anomaly_table, evidence_table
from observatory.display.changes import change_table
from observatory.display.health import arithmetic_table, health_table
from observatory.display.incidents import incident_table, similar_table, timeline_table
from observatory.display.silences import silence_table
from observatory.errors import InvalidInputError, NotFoundError
from observatory.frames import ReadableFrame
from observatory.health.overview import ServiceStatus
from observatory.incidents import actions
from observatory.model import Anomaly, Severity
from observatory.runtime import Runtime
from observatory.runtime.reader import Reader
from observatory.store.reader import StoreReader
from observatory.suggest import did_you_mean
from observatory.times import TIME, parse_duration, parse_time, rfc3339

if TYPE_CHECKING:
    from observatory.access.person import Action

Window = str | tuple[str, str]
POINTS = 720
INCIDENT_ID = re.compile("[0-9a-f]{12}")
BEFORE, AFTER = timedelta(hours=1), timedelta(minutes=30)
"""What is shown around an incident."""

EXAMPLES = (
    ("services", "what is watched, as a data frame"),
    ('health("shop/checkout")', "the arithmetic of a score; without a name all services, the worst first"),
    ('history("shop/checkout", "24h")', "samples; a window may also be a pair of times"),
    ('anomalies("shop/checkout", "7d")', "what was unusual; without a name of all services"),
    ('explain("shop/checkout", "7d")', "the worst anomaly, metric by metric"),
    ('changes("shop/checkout", "7d")', "deployments and other changes; `change(id)` compares before and after"),
    ('plot("shop/checkout", "24h")', "samples, expected bands and anomalies, to zoom into"),
    ('related("shop/checkout", "6h")', "what moved together with it"),
    ('what_if("shop/checkout", "24h")', "what would have alarmed at other sensitivities"),
    ('incidents("7d")', "what went on, with the likeliest cause of each"),
    (
        'incident("shop/checkout", "24h")',
        "timeline, changes, likely causes, similar ones; also by an incident's id",
    ),
    ('acknowledge("0a3f9c1d2b4e", "looking")', "work on an incident; also assign, note, resolve, reopen"),
    ('graph("shop/checkout", 2)', "who calls whom; without a name all of it"),
    ('show("radar")', "a view of the dashboard: health, radar, or the name of a service"),
)


class Workbench:
    """A store to look at; `wb["shop/<TAB>` completes the names of services.

    Parameters
    ----------
    store
        ``"settings"``: the store that ``observatory.toml`` and ``OBSERVATORY_*`` name. ``"demo"``: the demo shop, made
        in memory. Or a store's address. It is shown as it is, whatever source fills it.
    end
        Where the clock stands still, RFC 3339; with ``now`` or nothing it runs (the demo's stands at noon of a day).
    prometheus_url
        Another source than that of the settings.
    settings
        More settings by name, such as ``sensitivity=1.5``.
    """

    def __init__(self, store: str = OF_SETTINGS, end: str = "", prometheus_url: str = "", **settings: Any) -> None:
        self.runtime = Runtime.at(end, store, prometheus_url, only_reads=True, **settings)
        self.reader: Reader = self.runtime
        self.store: StoreReader = self.runtime.store
        atexit.register(self.close)  # a view that is shown lives until the kernel ends
        pd.set_option("display.max_colwidth", None)  # the sentence of an anomaly is to be read to its end
        pd.set_option("display.html.use_mathjax", False)  # a name with dollar signs is no formula
        if store == DEMO and not prometheus_url:
            self.runtime.prepare()

    # -- tables -----------------------------------------------------------------------------

    @property
    def services(self) -> pd.DataFrame:
        """A row a service: source, team, tier, samples, first, last; indexed by name."""
        rows = [(s.name, s.source, s.team or "", s.tier or "") for s in self.store.services()]
        frame = pd.DataFrame(rows, columns=["service", "source", "team", "tier"]).set_index("service")
        counts = self.store.sample_counts()
        frame = frame.join(counts).fillna({"samples": 0}).astype({"samples": int})
        return ReadableFrame(frame, nothing="no services yet: run `observatory collect`")

    def health(self, service: str | None = None) -> pd.DataFrame:
        """Every service's health, the worst first; or the arithmetic of one service's score."""
        overview = self.reader.overview()
        if service is None:
            return health_table(overview)
        return arithmetic_table(self.status(service).health)

    def status(self, service: str) -> ServiceStatus:
        """One service now, with its score and newest values."""
        name = self.store.service(service).name
        return next(status for status in self.reader.overview().services if status.name == name)

    def history(self, service: str, window: Window = "24h", metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Samples of one service, indexed by UTC time, a column a metric, in base units.

        Metrics that few services have are there where they have values, or are among `metrics`.
        """
        start, end = self.window(window)
        name = self.store.service(service).name
        found = self.store.history(name, start, end, metrics)
        if metrics is None:
            found = found[present(found.columns, lambda metric: bool(found[metric].notna().any()))]
        return ReadableFrame(found, nothing=f"no samples of {name} from {start:{TIME}} to {end:{TIME}} UTC")

    def anomalies(
        self, service: str | None = None, window: Window = "24h", severity: str | None = None
    ) -> pd.DataFrame:
        """Anomalies of one service or of all, the newest first."""
        return anomaly_table(self._anomalies(service, window, severity))

    def explain(self, service: str | None = None, window: Window = "24h") -> pd.DataFrame:
        """The evidence of the worst anomaly: actual, typical and expected values of each affected metric."""
        found = self._anomalies(service, window)
        return evidence_table(max(found, key=lambda anomaly: anomaly.score, default=None))

    def changes(self, service: str | None = None, window: Window = "24h") -> pd.DataFrame:
        """Deployments and other changes of one service or of all, the newest first."""
        start, end = self.window(window)
        names = None if service is None else [self.store.service(service).name]
        return change_table(reversed(self.store.changes.read(start, end, names)))

    def change(self, change_id: str) -> BeforeAfter:
        """What each metric did over a change; see `observatory.analysis.before_after.before_after`.

        Raises
        ------
        NotFoundError
            There is no such change.
        """
        return before_after(self.store, self.reader.settings, change_id, self.reader.clock())

    def silences(self) -> pd.DataFrame:
        """What is silenced now, or will be."""
        now = self.reader.clock()
        held = self.store.silences.read(now)
        return silence_table([one for one in held if state_at(one, now) != "ended"], now)

    def related(self, service: str, window: Window = "24h", metric: str | None = None, most: int = 10) -> pd.DataFrame:
        """What moved together with a metric of a service; see `observatory.analysis.related.related`."""
        return related(self.store, self.reader.settings, service, *self.window(window), metric, most)

    def what_if(
        self, service: str, window: Window = "24h", sensitivities: Sequence[float] = SENSITIVITIES
    ) -> pd.DataFrame:
        """What would have alarmed at other sensitivities; see `observatory.analysis.what_if.what_if`."""
        return what_if(self.store, self.reader.settings, service, *self.window(window), sensitivities)

    # -- one service, told ------------------------------------------------------------------

    def observed(self, service: str, window: Window = "24h", points: int = POINTS) -> ServiceHistory:
        """Samples with what was expected of them, anomalies and labelled faults, summarised where there are many."""
        start, end = self.window(window)
        return service_history(self.store, self.reader.settings, service, start, end, points)

    def incident(self, service: str, window: Window = "24h") -> IncidentReport:
        """What happened to a service in a window, or in an incident, by its id; see `observatory.analysis`.

        Raises
        ------
        UnknownServiceError
            It is neither the name of a service nor the id of an incident.
        """
        if not INCIDENT_ID.fullmatch(service):
            return incident_report(self.store, self.observed(service, window))
        found = self.store.incidents.get(service)
        end = min(self.reader.clock(), found.ended_at + AFTER)
        span = rfc3339(found.started_at - BEFORE), rfc3339(end)
        return incident_report(self.store, self.observed(found.origin, span), [found])

    # -- incidents --------------------------------------------------------------------------

    def incidents(self, window: Window = "7d", service: str | None = None) -> pd.DataFrame:
        """Incidents of a window, the newest first; of one service or of all."""
        names = None if service is None else [self.store.service(service).name]
        return incident_table(self.store.incidents.read(*self.window(window), names))

    def timeline(self, incident: str) -> pd.DataFrame:
        """Everything that happened to an incident and was said of it; raises NotFoundError."""
        return timeline_table(self.store.incidents.events(self.store.incidents.get(incident).id))

    def similar(self, incident: str) -> pd.DataFrame:
        """Earlier incidents that resemble one, with what was noted then; raises NotFoundError."""
        return similar_table(similar_incidents(self.store, self.store.incidents.get(incident)))

    def acknowledge(self, incident: str, note: str = "") -> pd.DataFrame:
        """Say that you have seen an incident and work on it; see `observatory.incidents.actions` for what is raised."""
        return self._work(incident, "acknowledge", lambda held, who, at: actions.acknowledge(held, who, at, note))

    def assign(self, incident: str, assignee: str) -> pd.DataFrame:
        """Say who takes care of an incident."""
        return self._work(incident, "assign", lambda held, who, at: actions.assign(held, assignee, who, at))

    def note(self, incident: str, text: str) -> pd.DataFrame:
        """Write something down beside an incident."""
        return self._work(incident, "note", lambda held, who, at: actions.note(held, text, who, at))

    def resolve(self, incident: str, note: str = "") -> pd.DataFrame:
        """Say that an incident is over."""
        return self._work(incident, "resolve", lambda held, who, at: actions.resolve(held, who, at, note))

    def reopen(self, incident: str, note: str = "") -> pd.DataFrame:
        """Say that an incident is not over."""
        return self._work(incident, "reopen", lambda held, who, at: actions.reopen(held, who, at, note))

    def _work(self, incident: str, name: str, action: Action) -> pd.DataFrame:
        from observatory.access.person import work_on

        return incident_table([work_on(self.runtime, incident, name, action)])

    # -- pictures and views -----------------------------------------------------------------

    def plot(self, service: str, window: Window = "24h", metrics: Sequence[str] | None = None) -> Any:
        """HoloViews plots of `metrics`, or of those that were unusual; see `observatory.views.notebook.plots.plot`."""
        from observatory.views.notebook.plots import plot

        return plot(self.observed(service, window), metrics)

    def still(self, service: str, window: Window = "24h", metrics: Sequence[str] | None = None) -> Any:
        """The same as a picture, for reports."""
        from observatory.views.notebook.stills import still

        return still(self.observed(service, window, POINTS // 2), metrics)

    def graph(self, service: str | None = None, hops: int = 1) -> Any:
        """Who calls whom: what is around a service, or all of it; see `observatory.views.notebook.graph.graph`."""
        from observatory.views.notebook.graph import graph

        return graph(self.reader, service, hops)

    def show(self, view: str = "health", **state: Any) -> Any:
        """A view of the dashboard, live: its name, or that of a service; `state` are choices in it.

        Raises
        ------
        NotFoundError, InvalidInputError
            There is no such view or service, or no such choice.
        """
        from observatory.views import view_names
        from observatory.views.notebook.live import live_view

        known = [*view_names(), *(service.name for service in self.store.services())]
        if view not in known:
            otherwise = f"choose one of {', '.join(view_names())}"
            raise NotFoundError(f"unknown view {view!r}: {did_you_mean(view, known, otherwise, most=3)}")
        return live_view(self.reader, view, state)

    # -- the rest ---------------------------------------------------------------------------

    def window(self, window: Window) -> tuple[datetime, datetime]:
        """Start and end of a window: a length of time that ends now, or a pair of times.

        Raises
        ------
        InvalidInputError
            It is neither, or ends before it starts.
        """
        now = self.reader.clock()
        if isinstance(window, str):
            return now - parse_duration(window, "window"), now
        if len(window) != 2:
            raise InvalidInputError(f"window = {window}: give a length of time, or start and end")
        start, end = (parse_time(text, now, name) for text, name in zip(window, ("start", "end"), strict=True))
        if start >= end:
            raise InvalidInputError(f"window = {window}: must start before it ends")
        return start, end

    def close(self) -> None:
        """Close the store; others who share it are not disturbed."""
        atexit.unregister(self.close)
        self.runtime.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __getitem__(self, service: str) -> ServiceStatus:
        return self.status(service)

    def _ipython_key_completions_(self) -> list[str]:
        return [service.name for service in self.store.services()]

    def _anomalies(self, service: str | None, window: Window, severity: str | None = None) -> list[Anomaly]:
        start, end = self.window(window)
        names = None if service is None else [self.store.service(service).name]
        if severity is not None and severity not in list(Severity):
            raise InvalidInputError(f"severity = {severity!r}: choose one of {', '.join(Severity)}")
        severities = None if severity is None else [severity]
        return self.store.anomalies(start=start, end=end, services=names, severities=severities)

    def _facts(self) -> list[tuple[str, str]]:
        overview = self.reader.overview()
        bands = ", ".join(f"{count} {band}" for band, count in overview.counts.items() if count)
        updated = f"{overview.updated_at:%Y-%m-%d %H:%M:%S} UTC" if overview.updated_at else "none"
        return [
            ("store", self.store.url),
            ("services", f"{len(overview.services)} ({bands})" if bands else "none yet: run `observatory collect`"),
            ("open anomalies", str(overview.open_anomalies)),
            ("newest sample", updated),
        ]

    def __repr__(self) -> str:
        facts = "\n".join(f"  {name:<16}{value}" for name, value in self._facts())
        calls = "\n".join(f"  wb.{call:<36}{what}" for call, what in EXAMPLES)
        return f"Workbench\n{facts}\n\n{calls}"

    def _repr_html_(self) -> str:
        facts = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in self._facts())
        calls = "".join(
            f"<tr><td><code>wb.{escape(call)}</code></td><td>{escape(what)}</td></tr>" for call, what in EXAMPLES
        )
        style = "style='text-align:left'"
        return f"<table {style}>{facts}</table><table {style}>{calls}</table>"
