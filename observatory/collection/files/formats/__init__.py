"""Formats of other programs' files, one module each; to add one, add its module here.

Other packages plug theirs in by entry points of the group ``observatory.collection.files.formats``.
"""

from __future__ import annotations

from observatory.collection.files.series import Format
from observatory.collection.files.text import Head
from observatory.errors import InvalidInputError
from observatory.registry import Registry

FORMATS: Registry[Format] = Registry("format", __name__)


def recognise(head: Head) -> str | None:
    """The name of the format that a file is in; None if it is none of these.

    Raises
    ------
    InvalidInputError
        It may be of several.
    """
    found = [name for name in FORMATS if FORMATS.get(name).recognise(head)]
    if len(found) > 1:
        raise InvalidInputError(f"{head.path} may be {' or '.join(found)}: say which (--format {found[0]})")
    return found[0] if found else None
