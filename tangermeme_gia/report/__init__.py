"""One page about what a model has learned: the paper's analysis, from scan to page."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
