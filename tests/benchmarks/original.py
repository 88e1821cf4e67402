"""The original design, as small as fair: Flask and one SQLite table with an index; ``python original.py FILE PORT``."""

from __future__ import annotations

import sqlite3
import sys
import threading
from typing import Any

from flask import Flask, jsonify, request

LATEST = """
SELECT m.* FROM m JOIN (SELECT service_name AS s, max(timestamp) AS t FROM m GROUP BY 1)
ON service_name = s AND timestamp = t
"""


def create_app(path: str) -> Flask:
    """Health as one formula over the newest row of each service, and history as a list of rows."""
    app, local = Flask(__name__), threading.local()

    def query(sql: str, values: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(path)
            local.connection.row_factory = sqlite3.Row
        return [dict(row) for row in local.connection.execute(sql, values)]

    @app.get("/api/health/summary")
    def summary() -> Any:
        return jsonify(
            [
                {"service_name": row["service_name"], "score": round(100 * (1 - row["error_rate"])), "metrics": row}
                for row in query(LATEST)
            ]
        )

    @app.get("/api/metrics/history")
    def history() -> Any:
        bounds = (request.args["service"], request.args["start"].rstrip("Z"), request.args["end"].rstrip("Z"))
        sql = "SELECT * FROM m WHERE service_name = ? AND timestamp BETWEEN ? AND ? ORDER BY timestamp"
        return jsonify(query(sql, bounds))

    return app


if __name__ == "__main__":
    create_app(sys.argv[1]).run("127.0.0.1", int(sys.argv[2]), threaded=True)
