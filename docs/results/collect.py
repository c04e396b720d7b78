"""Copy what `ibtrain reproduce` made beside these pages: small pictures, and tables of every run's last values.

Usage: python docs/results/collect.py runs/reproduce/digits docs/results/digits
"""

import shutil
import sys
from pathlib import Path

import pandas as pd

LARGEST = 300_000  # bytes of a picture
KEYS = ["loss", "latent", "surrogate", "gamma", "quantity", "estimator", "epoch"]


def table(path):
    """Return median and quartiles over trials of every run's last value of each quantity."""
    rows = pd.read_csv(path, keep_default_na=False, na_values=["nan"])
    rows = rows.sort_values("epoch").groupby(["run", "quantity", "estimator"], sort=False).tail(1)
    groups = rows.groupby(KEYS, sort=False)["value"]
    found = groups.quantile([0.25, 0.5, 0.75]).unstack().set_axis(["low", "median", "high"], axis=1)
    return found.assign(trials=groups.count()).reset_index().sort_values(KEYS)


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    for folder in sorted(path.parent for path in source.glob("fig*/results.csv")):
        svg = folder / f"{folder.name}.svg"
        shutil.copy(svg if svg.stat().st_size < LARGEST else svg.with_suffix(".png"), target)
        table(folder / "results.csv").to_csv(target / f"{folder.name}.csv", index=False, float_format="%.5g")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
