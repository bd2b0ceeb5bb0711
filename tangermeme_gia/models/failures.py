"""What went wrong in code that is not of this package."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


def describe_error(error: BaseException) -> str:
    """The kind of an error, the first line of its message, and where it arose.

    Examples
    --------
    >>> describe_error(KeyError("motif"))
    "KeyError: 'motif'"
    """
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_users(frame.filename)]
    return f"{text} ({own[-1].filename}, line {own[-1].lineno})" if own else text


def is_users(path: str) -> bool:
    """Whether code is neither installed nor of this program.

    Examples
    --------
    >>> is_users("/home/me/nets.py"), is_users(os.__file__)
    (True, False)
    """
    program = str(Path(__file__).parents[1])
    installed = ("site-packages", "dist-packages", f"{os.sep}lib{os.sep}python")
    return not path.startswith(("<", program)) and not any(
        part in path for part in installed
    )
