"""ResidualBind: predict protein binding from RNA sequence, from data to model."""

from importlib.metadata import version

import lazy_loader

import tangermeme_gia  # noqa: F401 - finds a folder for numba before tangermeme asks

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("tangermeme-gia")
