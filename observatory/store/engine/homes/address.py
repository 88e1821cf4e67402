"""The note beside a store's file that says where its owner serves it, readable by the user alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where the owner of a file answers; without `url` it does not, and `why` says what is missing."""

    url: str
    token: str
    pid: int
    why: str = ""


def address_file(store: Path) -> Path:
    """Where the address of a store's owner is kept."""
    return store.with_name(store.name + ".address")


def write_address(store: Path, address: Address) -> None:
    """Leave the address, whole or not at all."""
    place = address_file(store)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(asdict(address), file)
        draft.replace(place)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def read_address(store: Path) -> Address | None:
    """The address of the owner; None where there is none, or nothing that can be read."""
    try:
        return Address(**json.loads(address_file(store).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove_address(store: Path, address: Address) -> None:
    """Take back the address, unless somebody else has left theirs meanwhile."""
    if read_address(store) == address:
        address_file(store).unlink(missing_ok=True)
