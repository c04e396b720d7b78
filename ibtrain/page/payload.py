"""The numbers of the interactive information plane: plain values by run and estimator, for JSON inside a page."""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from ibtrain.claims import Evidence
from ibtrain.claims.evidence import METHODS, paired
from ibtrain.drawing.groups import groups_of, ways_of
from ibtrain.plane import PRESERVED, RESIDUAL

_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def plane(every: Sequence[Evidence]) -> dict[str, Any]:
    """Return what the interactive plane shows.

    Args:
        every: The runs of each data set.

    Returns:
        Names of data sets, estimators and flags; the groups of runs with their marks and colours; and for each run the
        way that it shares with other seeds, and its series by estimator: epochs, both coordinates, their standard
        errors, the number of its flag plus one (0 for none), and the accuracies.
    """
    tables = [_points(found).assign(set=index) for index, found in enumerate(every)]
    whole = pd.concat(tables, ignore_index=True)
    groups = groups_of(whole)
    whole = whole.assign(group=groups.numbers(whole), way=whole["set"].astype(str))
    for _, rows in whole.groupby("set"):
        whole.loc[rows.index, "way"] += " " + ways_of(rows, groups)
    estimators = [name for name in METHODS if name in set(whole["method"])]
    flags = [flag for flag in dict.fromkeys(whole["flags"]) if flag]
    return {
        "sets": [found.data for found in every],
        "estimators": estimators,
        "grouped": groups.title,
        "groups": [{"label": one.label, "mark": one.look.mark, "colour": one.look.colour} for one in groups.members],
        "flags": flags,
        "axes": {"x": f"preserved information {PRESERVED}", "y": f"residual information {RESIDUAL}"},
        "names": {"x": PRESERVED, "y": RESIDUAL},
        "runs": [
            {
                "run": str(run),
                "set": int(rows["set"].iloc[0]),
                "gamma": float(rows["gamma"].iloc[0]),
                "group": int(rows["group"].iloc[0]),
                "way": rows["way"].iloc[0],
                "seed": int(rows["seed"].iloc[0]),
                "loss": rows["loss"].iloc[0],
                "latent": rows["latent"].iloc[0],
                "series": {
                    str(method): _series(of_method.sort_values("epoch"), flags)
                    for method, of_method in rows.groupby("method", sort=False)
                },
            }
            for (_, run), rows in whole.groupby(["set", "run"], sort=False)
        ],
    }


def _points(found: Evidence) -> pd.DataFrame:
    points = paired(found.of(PRESERVED), found.of(RESIDUAL))
    for name in ("train accuracy", "test accuracy"):
        column = found.of(name)[["run", "epoch", "value"]].rename(columns={"value": name})
        points = points.merge(column, on=["run", "epoch"], how="left")
    return points


def _series(rows: pd.DataFrame, flags: Sequence[str]) -> dict[str, list[Any]]:
    return {
        "epoch": [int(one) for one in rows["epoch"]],
        "x": _numbers(rows["value"]),
        "y": _numbers(rows["value_2"]),
        "ex": _numbers(rows["standard_error"]),
        "ey": _numbers(rows["standard_error_2"]),
        "flag": [flags.index(one) + 1 if one else 0 for one in rows["flags"]],
        "train": _numbers(rows["train accuracy"]),
        "test": _numbers(rows["test accuracy"]),
    }


def _numbers(values: Iterable[float]) -> list[float | None]:
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in values]


def embedded(data: Any) -> Markup:
    r"""Return data as JSON that may stand inside a script element, whatever its texts hold.

    Example:
        >>> embedded("</script>")
        Markup('"\\u003c/script\\u003e"')
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPES))  # noqa: S704 - nothing in it can end the element
