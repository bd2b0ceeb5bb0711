"""Global Importance Analysis: what has a model learned, and how sure are we?"""

from importlib.metadata import version

__version__ = version("tangermeme-gia")

__all__ = ["__version__"]
