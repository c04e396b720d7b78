"""Networks trained with information objectives: compile an objective to a loss, train, measure, draw the plane."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
