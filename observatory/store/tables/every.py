"""Every table of a store: what is checked, backed up and brought back."""

from __future__ import annotations

from observatory.store.tables.alerts import AlertTable
from observatory.store.tables.anomalies import AnomalyTable
from observatory.store.tables.archive_files import ArchiveFileTable
from observatory.store.tables.audit import AuditTable
from observatory.store.tables.base import Table
from observatory.store.tables.calls import CallTable
from observatory.store.tables.changes import ChangeTable
from observatory.store.tables.cycles import CycleTable
from observatory.store.tables.faults import FaultTable
from observatory.store.tables.feedback import FeedbackTable
from observatory.store.tables.fetches import FetchTable
from observatory.store.tables.incidents import CauseTable, EventTable, IncidentTable, SymptomTable
from observatory.store.tables.keys import KeyTable
from observatory.store.tables.leases import LeaseTable
from observatory.store.tables.names import ArchivedNameTable, NameRuleTable
from observatory.store.tables.notes import NoteTable
from observatory.store.tables.notifications import DeliveryTable, OutboxTable
from observatory.store.tables.remarks import RemarkTable
from observatory.store.tables.rollups import ROLLUPS
from observatory.store.tables.running import RunningTable
from observatory.store.tables.runs import RunTable
from observatory.store.tables.samples import SampleTable
from observatory.store.tables.schedulers import SchedulerTable
from observatory.store.tables.services import ServiceTable
from observatory.store.tables.silences import SilenceTable
from observatory.store.tables.states import StateTable
from observatory.store.tables.watermarks import WatermarkTable

TABLES: tuple[type[Table], ...] = (
    AlertTable,
    AnomalyTable,
    ArchivedNameTable,
    ArchiveFileTable,
    AuditTable,
    CallTable,
    CauseTable,
    ChangeTable,
    CycleTable,
    DeliveryTable,
    EventTable,
    FaultTable,
    FeedbackTable,
    FetchTable,
    IncidentTable,
    KeyTable,
    LeaseTable,
    NameRuleTable,
    NoteTable,
    OutboxTable,
    RemarkTable,
    RunningTable,
    RunTable,
    SampleTable,
    SchedulerTable,
    ServiceTable,
    SilenceTable,
    StateTable,
    SymptomTable,
    WatermarkTable,
    *ROLLUPS,
)
