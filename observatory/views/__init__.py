"""What is shown: state, figures, and one file a view; the same in the app and in JupyterLab.

A view is a class registered by name. It is made from a reader and a state, and Panel can show it:

>>> list(VIEWS)
['health', 'help', 'radar', 'runs', 'silences']
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from observatory.registry import Registry
from observatory.runtime.reader import Reader
from observatory.views.session.state import State


class View(Protocol):
    """A page of the workbench.

    `title` is what its tab says; tabs are in the order of `order`. A view takes `State` as its
    only channel to the others, and follows it.
    """

    title: ClassVar[str]
    order: ClassVar[int]

    def __init__(self, runtime: Reader, state: State) -> None: ...

    def __panel__(self) -> Any:
        """Something Panel can show."""
        ...


VIEWS: Registry[type[View]] = Registry("view", "observatory.views")


def view_names() -> list[str]:
    """Names of all views, in the order of their tabs."""
    return sorted(VIEWS, key=lambda name: (VIEWS.get(name).order, name))
