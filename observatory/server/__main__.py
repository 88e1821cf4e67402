"""One more server on a port that several share: ``python -m observatory.server``."""

from __future__ import annotations

import os
import signal
import sys
import threading

from observatory.config import load_settings
from observatory.server.processes import share_port


def main() -> None:
    """One of the others: serve until told to end, or until whoever started this one is gone."""
    from observatory.logs import set_up
    from observatory.runtime import Runtime
    from observatory.runtime.current import use
    from observatory.server.panel import run_panel

    settings = load_settings()
    set_up(settings)
    threading.Thread(target=_end_with_parent, name="observatory-parent", daemon=True).start()
    use(Runtime(settings))
    share_port()
    run_panel(settings)


def _end_with_parent() -> None:
    while sys.stdin.buffer.read(1):  # nobody writes: it ends when the other end is closed
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
