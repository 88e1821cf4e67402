"""Pages of a real server as a browser gets them: their tokens, and their sockets."""

from __future__ import annotations

import re


def token_of(page: str) -> str:
    """The token with which a page joins its session."""
    found = re.search(r'"token":"([^"]+)"', page)
    assert found is not None, page[:500]
    return found[1]
