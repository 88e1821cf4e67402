"""What promtool makes of the product's queries on made-up series."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from observatory.catalog import METRICS
from observatory.sources.prometheus.presets import PRESETS, Preset, build_probes, build_queries, joined

WINDOW = 300

Series = dict[str, str]
"""Series → values in promtool's notation: a sample a minute for half an hour."""


class Check(Protocol):
    """Holds every query named in `expected` to its values: query → service → value, nothing more, nothing less."""

    def __call__(
        self,
        series: Series,
        expected: Mapping[str, Mapping[str, float]],
        presets: Mapping[str, Preset] = PRESETS,
    ) -> None: ...


def counter(per_minute: float, start: float = 0) -> str:
    return f"{start:g}+{per_minute:g}x30"


def constant(value: float) -> str:
    return f"{value:g}x30"


def histogram(name: str, labels: str, fast: float, slow: float, unit: float = 1) -> Series:
    """Requests a minute: some of at most 0.1 s, and some between 0.1 s and 0.5 s; `unit` is a second in theirs."""
    return {
        f'{name}_bucket{{{labels},le="{0.1 * unit:g}"}}': counter(fast),
        f'{name}_bucket{{{labels},le="{0.5 * unit:g}"}}': counter(fast + slow),
        f'{name}_bucket{{{labels},le="+Inf"}}': counter(fast + slow),
        f"{name}_count{{{labels}}}": counter(fast + slow),
    }


def hold(
    folder: Path,
    series: Series,
    expected: Mapping[str, Mapping[str, float]],
    presets: Mapping[str, Preset] = PRESETS,
) -> None:
    """See `Check`; files are made in `folder`. The query ``services`` counts the series of each service."""
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    queries = build_queries(METRICS, WINDOW, (), presets)
    queries["services"] = joined(build_probes(WINDOW, (), presets).values())
    rules = [{"record": f"made:{name}", "expr": query} for name, query in queries.items()]
    tests = [
        {
            "expr": f'round(made:{name}{{service_name!=""}} >= 0, 0.001)',  # no NaN, and no last digits
            "eval_time": "30m",
            "exp_samples": [
                {"labels": f'{{service_name="{service}"}}', "value": value} for service, value in values.items()
            ],
        }
        for name, values in expected.items()
    ]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    case = {"interval": "1m", "input_series": inputs, "promql_expr_test": tests}
    suite = {"rule_files": ["rules.yml"], "evaluation_interval": "30m", "tests": [case]}  # when it is looked at
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "queries", "rules": rules}]}))  # JSON is YAML
    (folder / "suite.yml").write_text(json.dumps(suite))
    command = [program, "test", "rules", "suite.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
