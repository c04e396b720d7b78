"""Entropies and informations of trained latents, in nats, each with its standard error, side of bound and flags.

:func:`mixture` where the noise of the latent is known (the default), and for bare samples nearest neighbours, Gaussian
log-determinants and counts. The functions take tensors or arrays and need nothing else of this project.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
