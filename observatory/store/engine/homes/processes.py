"""What the other processes of this machine do."""

from __future__ import annotations

import os
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether a process goes on; one that ended and was not yet waited for does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True  # somebody else's
    return _state(pid) not in ("Z", "X")


def is_stopped(pid: int) -> bool:
    """Whether a process was halted: it would accept a connection and never answer."""
    return _state(pid) in ("T", "t")


def _state(pid: int) -> str:
    """Its letter in ``/proc/PID/stat``, see proc(5); empty where the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return ""
