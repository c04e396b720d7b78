"""The signed measure over Yeung's atoms, canonical forms of information objectives, and checked derivations."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
