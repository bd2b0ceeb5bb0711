"""Hundreds of models and experiments: tasks here or on a cluster, and nothing lost."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
