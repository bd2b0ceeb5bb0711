"""The command `residualbind`."""

from .main import main

__all__ = ["main"]
