"""The alerts about the workbench itself: checked by promtool on made-up series, and on what it really exposes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from support.guides import page

ROOT = Path(__file__).parents[1]
RULES = ROOT / "dashboards" / "prometheus" / "observatory.rules.yml"

pytestmark = [pytest.mark.servers]

OF = 'job="observatory",instance="a:5006"'


def name(metric: str, labels: str = "") -> str:
    """A series of the first server."""
    return f"observatory_{metric}{{{OF}{',' if labels else ''}{labels}}}"


SERVICES, BEGAN = name("services", 'band="healthy"'), name("last_cycle_timestamp_seconds")
FAILURES, INTERVAL = name("last_cycle_failures"), name("interval_seconds")
EU, US = (name("source_up", f'source="{source}"') for source in ("eu", "us"))
SKIPPED, LEFT_OUT = name("cycles_skipped_total"), name("services_left_out")
LEARNING, EXPECTED = name("learning_since_timestamp_seconds"), name("learning_expected_seconds")
STATE, UNTOLD = name("detector_state_timestamp_seconds"), name("oldest_untold_timestamp_seconds")
LEFT, ROOM = name("store_available_bytes"), name("store_filesystem_bytes")
SENT, FAILED = (name("deliveries", f'destination="team",state="{state}"') for state in ("sent", "failed"))

HEALTHY = {
    SERVICES: "12x900",
    BEGAN: "0+60x900",
    INTERVAL: "60x900",
    FAILURES: "0x900",
    EU: "1x900",
    US: "1x900",
    SKIPPED: "0x900",
    LEFT_OUT: "0x900",
    EXPECTED: "7200x900",
    STATE: "0x60 3600x60 7200x60 10800x60 14400x60 18000x60 21600x540",
    LEFT: "50000000000x900",
    ROOM: "100000000000x900",
    SENT: "3x900",
}


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed: apt-get install prometheus")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def firing(tmp_path: Path, minute: int, changed: dict[str, str]) -> list[str]:
    """Which alerts fire at a minute, each as often as it does, but for the one that always does.

    A change without values takes a series away.
    """
    series = [{"series": name, "values": values} for name, values in (HEALTHY | changed).items() if values]
    alerts = re.findall(r"alert: (\w+)", RULES.read_text())
    expectations = [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []} for alert in alerts]
    test = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": expectations}],
    }
    file = tmp_path / "test.yml"
    file.write_text(json.dumps(test))  # JSON is YAML
    said = promtool("test", "rules", str(file))
    found = re.findall(r'Labels:\{alertname="(\w+)"', said.stdout + said.stderr)
    assert "ObservatoryWatchdog" in found, said.stdout + said.stderr
    return sorted(alert for alert in found if alert != "ObservatoryWatchdog")


def test_the_rules_are_valid() -> None:
    checked = promtool("check", "rules", str(RULES))
    assert checked.returncode == 0, checked.stdout + checked.stderr


CASES = {
    "healthy": ({}, 50, []),
    "gone": (dict.fromkeys(HEALTHY, ""), 10, ["ObservatoryDown"]),
    "a short restart": ({SERVICES: "12x20 _x4 12x60", BEGAN: "0+60x20 _x4 1500+60x60"}, 26, []),
    "a long one": ({SERVICES: "12x20 _x60"}, 40, ["ObservatoryDown"]),
    # cycles
    "late": ({BEGAN: "0+60x20 1200x40"}, 24, []),
    "stopped": ({BEGAN: "0+60x20 1200x40"}, 28, ["ObservatoryCyclesMissed"]),
    "late at a long interval": ({BEGAN: "0+600x20", INTERVAL: "600x200"}, 49, []),
    "stopped at a short interval": ({BEGAN: "0+60x20 1200x40", INTERVAL: "10x60"}, 23, ["ObservatoryCyclesMissed"]),
    "another server collects": (
        {BEGAN: "0+60x20 1200x40", BEGAN.replace("a:", "b:"): "0+60x60"},
        40,
        [],
    ),
    "another installation collects": (
        {BEGAN: "0+60x20 1200x40", BEGAN.replace('observatory"', 'other"'): "0+60x60"},
        40,
        ["ObservatoryCyclesMissed"],
    ),
    "fills its past": ({BEGAN: ""}, 50, []),
    "never begins": ({BEGAN: ""}, 70, ["ObservatoryNoCycle"]),
    "skipped a few": ({SKIPPED: "0x20 3x100"}, 60, []),
    "skips": ({SKIPPED: "0+1x120"}, 60, ["ObservatoryCyclesSkipped"]),
    "skipped, then began anew": ({SKIPPED: "90x30 0x120"}, 60, []),
    "skips, before and after it began anew": ({SKIPPED: "80+1x30 0+1x60"}, 60, ["ObservatoryCyclesSkipped"]),
    "failed once": ({FAILURES: "1x5 0x55"}, 20, []),
    "fails": ({FAILURES: "1x60"}, 20, ["ObservatoryCyclesFail"]),
    # sources
    "a source was away": ({EU: "1x10 0x3 1x60", FAILURES: "0x10 1x3 0x60"}, 20, []),
    "a source is away, which is one alert": ({EU: "0x60", FAILURES: "1x60"}, 20, ["ObservatorySourceDown"]),
    "both are": ({EU: "0x60", US: "0x60", FAILURES: "1x60"}, 20, ["ObservatorySourceDown"] * 2),
    "nothing is known of sources": ({EU: "", US: ""}, 50, []),
    "it went down over a restart": (
        {EU: "0x10 _x3 0x60", FAILURES: "1x10 _x3 1x60"},
        25,
        ["ObservatorySourceDown"],
    ),
    # what is learned
    "learns": ({LEARNING: "0x900"}, 120, []),
    "learns for too long": ({LEARNING: "0x900"}, 400, ["ObservatoryLearningTooLong"]),
    "new ones are learned all day": ({LEARNING: "0x100 6000x100 12000x100 18000x600"}, 450, []),
    "states are kept": ({}, 350, []),
    "states are not kept": ({STATE: "0x900"}, 260, ["ObservatoryStateOld"]),
    "states are old after a long night, and kept anew": ({STATE: "_x300 0x40 20400x560"}, 360, []),
    "a detector that keeps no states": ({STATE: ""}, 400, []),
    # the store
    "half full": ({}, 60, []),
    "nearly full": ({LEFT: "9000000000x60"}, 40, ["ObservatoryStoreNearlyFull"]),
    "was nearly full for a moment": ({LEFT: "9000000000x10 50000000000x60"}, 40, []),
    "in memory": ({LEFT: "", ROOM: ""}, 60, []),
    "too many services": ({LEFT_OUT: "200x60"}, 40, ["ObservatoryServicesLeftOut"]),
    # messages
    "young": ({UNTOLD: "600x60"}, 15, []),
    "waits": ({UNTOLD: "600x60"}, 25, ["ObservatoryMessagesWait"]),
    "waits over a restart": ({UNTOLD: "600x10 _x5 600x60"}, 25, ["ObservatoryMessagesWait"]),
    "told at last": ({UNTOLD: "600x20 _x60"}, 30, []),
    "given up": ({FAILED: "2x60"}, 5, ["ObservatoryMessagesFailed"]),
    "sent again": ({FAILED: "2x20 0x60"}, 30, []),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_each_alert_fires_when_it_should_and_no_other(tmp_path: Path, case: str) -> None:
    changed, minute, alerts = CASES[case]
    assert firing(tmp_path, minute, changed) == alerts


def test_each_alert_has_a_case_in_which_it_fires() -> None:
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text())) - {"ObservatoryWatchdog"}
    assert {alert for _, _, fired in CASES.values() for alert in fired} == alerts


def test_every_series_of_the_rules_is_one_of_the_guide_and_every_alert_too() -> None:
    """The guide's are held against what is exposed, see `tests.api.test_guides`."""
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    asked = {series for rule in rules for series in re.findall(r"observatory_[a-z0-9_]+", rule["expr"])}
    text = page("operation").text
    assert [series for series in asked if f"`{series}`" not in text] == []
    assert [rule["alert"] for rule in rules if f"`{rule['alert']}`" not in text] == []
