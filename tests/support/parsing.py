"""Whether a real Prometheus understands queries, many at a time."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path


def not_understood(queries: Mapping[str, str]) -> dict[str, str]:
    """By name what promtool says of the queries that it cannot parse."""
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries.values())]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.json"  # JSON is YAML, too, but for how it escapes
        text = json.dumps({"groups": [{"name": "all", "rules": rules}]}, ensure_ascii=False)
        file.write_text(text.replace("\x7f", "\\x7f"), "utf-8")
        said = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    text, names = said.stdout + said.stderr, list(queries)
    if said.returncode == 0:
        return {}
    found = {names[int(at)]: line for at, line in re.findall(r'(?m)^.*"query_(\d+)".*?(could not parse.*)$', text)}
    return found or {"all": text}
