"""Targets themselves: machines with node_exporter, and the process of any target."""

from __future__ import annotations

from observatory.sources.prometheus.inventory import Inventory
from observatory.sources.prometheus.presets.preset import JOB, Family, Preset
from observatory.sources.prometheus.presets.templates import rate


def _node(inventory: Inventory) -> list[Family]:
    if not inventory.has("node_cpu_seconds_total"):
        return []
    memory = "sum by ($by) (node_memory_MemTotal_bytes) - sum by ($by) (node_memory_MemAvailable_bytes)"
    return [
        Family(
            "node_cpu_seconds_total",
            {"cpu_usage": rate('node_cpu_seconds_total{mode!~"idle|iowait"}'), "memory_usage": memory},
        )
    ]


def _process(inventory: Inventory) -> list[Family]:
    targets = "up"
    if inventory.names is not None and inventory.has("probe_success"):  # what a prober says of itself for each check
        targets = "(up unless on (job, instance) probe_success)"
    wanted = {
        "process_cpu_seconds_total": {"cpu_usage": rate("process_cpu_seconds_total")},
        "process_resident_memory_bytes": {"memory_usage": "sum by ($by) (process_resident_memory_bytes)"},
        "process_start_time_seconds": {"restart_count": "sum by ($by) (changes(process_start_time_seconds[$window]))"},
        "up": {"pod_count": f"sum by ($by) ({targets})", "up": f"avg by ($by) ({targets})"},
    }
    return [Family(name, queries) for name, queries in wanted.items() if inventory.has(name)]


PRESETS = (
    Preset("node", "machines, by node_exporter (node_cpu_seconds_total)", JOB, _node),
    Preset("process", "any target's own process (process_*, up)", JOB, _process),
)
