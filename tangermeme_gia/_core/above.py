"""What results need of the folders above: names that the package gives.

Results are made here, drawn and compared above; `_core` knows no folder but itself.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any

_names: dict[str, str] = {}


def provide(names: Mapping[str, str]) -> None:
    """Say where things are, as ``package.module:name``; they are imported when used."""
    _names.update(names)


def provided(thing: str) -> Any:
    """What was said to be there.

    Raises
    ------
    KeyError
        If nothing of that name was.

    Examples
    --------
    >>> provided("result GIAResult").__name__
    'GIAResult'
    """
    return pkgutil.resolve_name(_names[thing])
