"""Ctrl-C ends a query at once, and leaves a store that can be used on."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.interrupts import ENDLESS, ctrl_c_within

from observatory.model import Service
from observatory.store import open_store
from observatory.store.engine.homes import Session
from observatory.store.engine.homes.local import LocalSession


def test_ctrl_c_during_a_query_is_a_keyboard_interrupt() -> None:
    with open_store(":memory:") as store:
        with ctrl_c_within(LocalSession.read), pytest.raises(KeyboardInterrupt):
            store._database.read(ENDLESS)
        assert store.services() == []


def test_ctrl_c_during_a_write_leaves_nothing_of_it_behind(tmp_path: Path) -> None:
    def forget_and_go_on(session: Session) -> None:
        session.execute("DELETE FROM services")
        session.read(ENDLESS)

    with open_store(str(tmp_path / "x.duckdb")) as store:
        store.register([Service("a")])
        with ctrl_c_within(LocalSession.read), pytest.raises(KeyboardInterrupt):
            store._database.transaction(forget_and_go_on)
        store.register([Service("b")])
        assert [service.name for service in store.services()] == ["a", "b"]
