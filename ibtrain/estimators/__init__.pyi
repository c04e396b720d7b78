from .mixtures import mixture
from .result import Estimate, Estimates

__all__ = ["Estimate", "Estimates", "mixture"]
