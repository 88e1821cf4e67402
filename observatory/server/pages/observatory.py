"""The script that ``observatory serve`` gives to Panel; the name of the file is the path of the page."""

import sys
from pathlib import Path

# Panel puts this file's folder first on the path, where it would hide the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).parent.resolve()]

from observatory.views.app import show_page  # noqa: E402

show_page()
