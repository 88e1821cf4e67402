"""Where a store lives, by its URL: a DuckDB file, a DuckDB that another process serves, a lake."""

from __future__ import annotations

from collections.abc import Callable

from observatory.errors import StoreError
from observatory.private import make_new_files_private
from observatory.store.engine.homes.base import MEMORY, Home, Session
from observatory.store.options import StoreOptions

__all__ = ["MEMORY", "Home", "Session", "home_opener"]


def home_opener(url: str, options: StoreOptions) -> Callable[[], Home]:
    """What opens the home of `url`, and opens it again when it is lost.

    Raises
    ------
    StoreError
        No home has URLs of this form.
    """
    if url != MEMORY and not options.read_only:
        make_new_files_private()
    if url.startswith("quack:"):
        from observatory.store.engine.homes.quack import QuackHome

        return lambda: QuackHome.reach(url, options)
    if url.startswith("ducklake:"):
        from observatory.store.engine.homes.lake import LakeHome

        return lambda: LakeHome(url, options)
    if "://" in url:
        raise StoreError(
            f"store {url.split('://')[0]}://… cannot be opened: OBSERVATORY_STORE takes the path of a DuckDB file, "
            f"quack://host:port, ducklake:postgres:…, or {MEMORY}"
        )
    from observatory.store.engine.homes.file import open_file

    return lambda: open_file(url, options)
