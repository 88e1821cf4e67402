"""The alerts about the workbench itself: checked by promtool on made-up series, and on what it really exposes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RULES = ROOT / "dashboards" / "prometheus" / "observatory.rules.yml"

pytestmark = [pytest.mark.servers]

HEALTHY = {
    'observatory_services{band="healthy"}': "12x60",
    "observatory_last_cycle_timestamp_seconds": "0+60x60",
    "observatory_last_cycle_failures": "0x60",
    'observatory_deliveries{destination="team",state="sent"}': "3x60",
}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def firing(tmp_path: Path, minute: int, **changed: str) -> set[str]:
    """Which alerts fire at a minute, but for the one that always does; a change without values takes a series away."""
    series = {name: values for name, values in (HEALTHY | changed).items() if values}
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    found = set()
    for alert in alerts:
        test = {
            "rule_files": [str(RULES)],
            "evaluation_interval": "1m",
            "tests": [
                {
                    "interval": "1m",
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}],
                }
            ],
        }
        file = tmp_path / "test.yml"
        file.write_text(json.dumps(test))  # JSON is YAML
        if promtool("test", "rules", str(file)).returncode:
            found.add(alert)
    assert "ObservatoryWatchdog" in found
    return found - {"ObservatoryWatchdog"}


def test_the_rules_are_valid() -> None:
    checked = promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("changed", "minute", "alerts"),
    [
        ({}, 50, set()),
        (dict.fromkeys(HEALTHY, ""), 10, {"ObservatoryDown"}),
        ({"observatory_last_cycle_timestamp_seconds": "0+60x20 1200x40"}, 24, set()),
        ({"observatory_last_cycle_timestamp_seconds": "0+60x20 1200x40"}, 28, {"ObservatoryCyclesMissed"}),
        ({"observatory_last_cycle_failures": "1x5 0x55"}, 20, set()),
        ({"observatory_last_cycle_failures": "1x60"}, 20, {"ObservatoryCyclesFail"}),
        ({"observatory_oldest_untold_timestamp_seconds": "600x60"}, 15, set()),
        ({"observatory_oldest_untold_timestamp_seconds": "600x60"}, 25, {"ObservatoryMessagesWait"}),
        (
            {'observatory_deliveries{destination="team",state="failed"}': "2x60"},
            5,
            {"ObservatoryMessagesFailed"},
        ),
    ],
    ids=["healthy", "gone", "late", "stopped", "failed once", "fails", "young", "waits", "given up"],
)
def test_each_alert_fires_when_it_should_and_no_other(
    tmp_path: Path, changed: dict[str, Any], minute: int, alerts: set[str]
) -> None:
    assert firing(tmp_path, minute, **changed) == alerts


def test_every_series_of_the_rules_is_one_that_is_exposed() -> None:
    source = (ROOT / "observatory" / "api" / "routes" / "monitoring.py").read_text()
    exposed = {f"observatory_{name}" for name in re.findall(r'f"\{NAME\}_(\w+)"', source)}
    asked = set(re.findall(r"observatory_[a-z_]+", "\n".join(re.findall(r"expr: (.*)", RULES.read_text()))))
    assert asked <= exposed
