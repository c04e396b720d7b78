"""Count which codes of a categorical latent a trained encoder uses, and for which classes.

A sample is counted at its likeliest code; `median_probability` is the median of that code's probability over them.

Usage: python docs/results/codes.py runs/reproduce/digits/runs/5e0fc79885f8892c docs/results/digits/codes.csv
"""

import sys
from pathlib import Path

import pandas as pd

from ibtrain import Config
from ibtrain.runs import write_text
from ibtrain.training import build_network, evaluate, load_data
from ibtrain.training.progress import load_checkpoint


def codes(folder: Path, root: Path) -> pd.DataFrame:
    """Return one line for each code and class: how many training samples have both."""
    config = Config.load(folder / "config.toml")
    data, state = load_data(config.data, root=root), load_checkpoint(folder, digest=config.digest)
    network = build_network(config, data)
    own = {name: value for name, value in state["step"].items() if name.startswith("network.")}
    network.load_state_dict({name.removeprefix("network."): value for name, value in own.items()})
    _, latent = evaluate(network, data, data.train_inputs, data.train_targets)
    probability, code = latent.log_probabilities.exp().max(dim=-1)
    table = pd.DataFrame({"code": code, "class": data.train_targets, "probability": probability})
    found = table.groupby(["code", "class"])["probability"].agg(samples="count", median_probability="median")
    return found.reset_index().assign(run=config.digest, loss=config.objective.loss, seed=config.seed)


if __name__ == "__main__":
    table = codes(Path(sys.argv[1]), Path(sys.argv[3]) if len(sys.argv) > 3 else Path("data"))
    write_text(Path(sys.argv[2]), table.to_csv(index=False, float_format="%.8g"))
