"""The `tangermeme-gia` command: a report, or one experiment."""

from .main import main

__all__ = ["main"]
