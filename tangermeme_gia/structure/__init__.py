"""RNA structure: pairs and dot-brackets, and folding by ViennaRNA."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
