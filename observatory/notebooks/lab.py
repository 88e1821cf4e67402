"""JupyterLab in the folder of the notebooks, on the store of the settings; it asks no other machine for anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from observatory.config import Settings
from observatory.config.environment import child_environment

QUIET = (
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
)
OFFERS_NO_NEWS = Path(__file__).parent / "jupyter"
"""A folder of Jupyter's configuration: JupyterLab does not ask whether it may fetch news."""


def lab(settings: Settings, folder: Path, more: Sequence[str] = ()) -> NoReturn:
    """Become JupyterLab; its kernels find the same settings, whatever folder they work in."""
    arguments = [f"--ServerApp.root_dir={folder.absolute()}", "--ServerApp.ip=127.0.0.1", *QUIET, *more]
    environment = child_environment(settings)
    places = [*filter(None, [environment.get("JUPYTER_CONFIG_PATH")]), str(OFFERS_NO_NEWS)]
    environment["JUPYTER_CONFIG_PATH"] = os.pathsep.join(places)
    os.execve(sys.executable, [sys.executable, "-m", "jupyterlab", *arguments], environment)  # noqa: S606
