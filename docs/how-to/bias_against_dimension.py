"""Draw the bias of each estimator of H[Z] against the dimension, on noise whose entropy is exactly zero.

python docs/how-to/bias_against_dimension.py [FILE]
"""

import math
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import torch

from ibtrain.estimators import gaussian, knn, mixture

ZERO_ENTROPY = 1 / (2 * math.pi * math.e)
DIMENSIONS = (1, 2, 5, 10, 20, 50, 100)


def biases(size: int = 2000) -> dict[str, list[float]]:
    """Return the estimates of H[Z] of pure zero-entropy noise, which are biases, for each dimension."""
    result: dict[str, list[float]] = {"knn": [], "gaussian": [], "mixture": []}
    for width in DIMENSIONS:
        generator = torch.Generator().manual_seed(width)
        noise = math.sqrt(ZERO_ENTROPY) * torch.randn(size, width, generator=generator, dtype=torch.float64)
        result["knn"].append(knn(noise)["H[Z]"].value)
        result["gaussian"].append(gaussian(noise)["H[Z]"].value)
        result["mixture"].append(mixture(torch.zeros(size, width), ZERO_ENTROPY)["H[Z]"].value)
    return result


def draw(path: Path, size: int = 2000) -> dict[str, list[float]]:
    """Draw the figure into a file and return the numbers in it."""
    found = biases(size)
    with mpl.rc_context({"svg.hashsalt": "bias", "svg.fonttype": "none"}):
        figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
        for (name, values), style in zip(found.items(), ("o-", "s--", "^:"), strict=True):
            axes.plot(DIMENSIONS, values, style, label=name)
        axes.set_xscale("log")
        axes.set_xticks(DIMENSIONS, [str(width) for width in DIMENSIONS])
        axes.set_xlabel("dimensions of Z")
        axes.set_ylabel("estimated H[Z] in nats (truth: 0)")
        axes.set_title(f"zero-entropy noise, N = {size}")
        axes.legend()
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)
    return found


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_suffix(".svg"))
