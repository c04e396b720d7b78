from .calibration import noise_calibration, permutation_null, subsampling_error
from .counts import categorical
from .kraskov import ksg, ksg_conditional
from .logdet import gaussian, gaussian_information
from .mixtures import mixture
from .nearest import knn, knn_by_k
from .result import Estimate, Estimates

__all__ = [
    "Estimate",
    "Estimates",
    "categorical",
    "gaussian",
    "gaussian_information",
    "knn",
    "knn_by_k",
    "ksg",
    "ksg_conditional",
    "mixture",
    "noise_calibration",
    "permutation_null",
    "subsampling_error",
]
