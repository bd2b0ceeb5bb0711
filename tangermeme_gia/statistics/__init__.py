"""What experiments show and how sure it is: intervals, tests, contrasts, fits."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
