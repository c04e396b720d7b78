"""The demo: the whole way on scikit-learn's digits, three surrogates of one regularizer, gamma in log space.

As in figures 5 and 6 of Kirsch, Lyle and Gal, "Unpacking Information Bottlenecks" (2020), on smaller data.
"""

from ibtrain.config import Config
from ibtrain.experiments.experiment import Experiment

SURROGATES = ("LogVar[Z|Y]", "LogVar[Z]", "SquaredNorm[Z]")
"""The paper's three surrogates of the regularizer, the tightest first."""

DEMO = Experiment(
    name="demo",
    base=Config().with_options(["training.epochs=40"]),
    varied={"objective.surrogate": SURROGATES, "objective.gamma": (1e-4, 1e-3, 1e-2, 1e-1, 0.3, 1.0, 3.0, 10.0)},
)
"""The demo: 24 runs, two to three minutes on two cores at most."""

DEMO_FAST = Experiment(
    name="demo-fast",
    base=Config().with_options(["training.epochs=8", "network.hidden=[64]", "network.latent=8", "plane.samples=400"]),
    varied={"objective.surrogate": SURROGATES, "objective.gamma": (1e-3, 1.0)},
)
"""The same way in seconds: 6 short runs, to see that everything works."""
