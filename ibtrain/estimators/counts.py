"""Entropies and informations of discrete variables from counts: plug-in, and with Miller and Madow's correction.

The plug-in value is exact for the empirical sample and biased downwards for a population; G. A. Miller, "Note on the
bias of information estimates", 1955, adds (occupied cells - 1) / 2N to each entropy.
"""

import math
from collections.abc import Mapping, Sequence, Sized
from typing import Literal, get_args

import torch

from ibtrain.estimators.inputs import LARGEST, Labels, as_classes, choice
from ibtrain.estimators.result import Estimate, Estimates
from imeasure.errors import ConfigError
from imeasure.measure import entropy_form

Correction = Literal["plug-in", "miller-madow"]


def categorical(
    variables: Mapping[str, Labels], quantities: Sequence[str], *, correction: Correction = "plug-in"
) -> Estimates:
    r"""Estimate quantities of discrete variables, each a linear expression of entropies and informations.

    The joint entropies are :math:`-\sum \hat p \ln \hat p`, with :math:`(m - 1)/2N` added for m occupied cells under
    the Miller-Madow correction. The standard error is that of the mean over samples of the expression's logarithms.

    Args:
        variables: N labels of each variable, by name. Labels are partitions; their values do not matter.
        quantities: Texts in imeasure's language, such as ``"I[X;Y|Z]"`` or ``"H[X] - H[X|Y]"``.
        correction: ``"plug-in"`` or ``"miller-madow"``.

    Raises:
        ConfigError: If there are no variables, their sizes differ, or a coefficient is not a number.
        ParseError: If a quantity cannot be read.
        UnknownVariableError: If a quantity names a variable that is not given.

    Example:
        >>> xor = {"X": [0, 0, 1, 1], "Y": [0, 1, 0, 1], "Z": [0, 1, 1, 0]}
        >>> result = categorical(xor, ["I[X;Y]", "I[X;Y|Z]"])
        >>> round(result["I[X;Y]"].bits, 9), round(result["I[X;Y|Z]"].bits, 9)
        (0.0, 1.0)
    """
    if not isinstance(variables, Mapping) or not variables or not all(isinstance(name, str) for name in variables):
        raise ConfigError("variables must be a mapping from one name or more to labels, such as {'X': [0, 1]}")
    if not isinstance(quantities, Sequence) or isinstance(quantities, str):
        raise ConfigError(f"quantities must be a list of texts, such as ['I[X;Y]'], got {quantities!r}")
    choice(correction, "correction", get_args(Correction))
    names = tuple(variables)
    first = variables[names[0]]
    size = len(first) if isinstance(first, Sized) else 0
    if size < 2:
        raise ConfigError(f"{names[0]} must hold two labels or more")
    columns = torch.stack([as_classes(variables[name], size, torch.device("cpu"), name) for name in names], dim=1)
    results = {}
    for quantity in quantities:
        form = entropy_form(quantity, names)
        if form.functionals or form.domain is not None:
            raise ConfigError(f"{quantity} holds more than entropies with numbers before them; give numbers only")
        if any(abs(number) > LARGEST for number in (form.constant, *form.terms.values())):
            raise ConfigError(f"{quantity} holds a number above {LARGEST:g}: scale it down")
        terms = torch.zeros(size, dtype=torch.float64)
        bias = 0.0
        for mask, coefficient in form.terms.items():
            chosen = [index for index in range(len(names)) if mask >> index & 1]
            _, cells, counts = torch.unique(columns[:, chosen], dim=0, return_inverse=True, return_counts=True)
            terms += float(coefficient) * (math.log(size) - counts.double().log())[cells]
            bias += float(coefficient) * (len(counts) - 1) / (2 * size)
        value = float(terms.mean()) + float(form.constant) + (bias if correction == "miller-madow" else 0.0)
        error = float(terms.std() / math.sqrt(size))
        results[quantity] = Estimate(quantity, value, error, size=size, estimator=correction)
    return Estimates(results)
