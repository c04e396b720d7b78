"""Which runs of a picture belong together: those that differ in gamma and seed alone; and how groups are told apart.

Only trials of one group at one gamma have medians and quartiles. Where a seed is there twice, the runs differ in
something that their rows do not tell, and each stands alone.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import pandas as pd

from ibtrain.surrogates.looks import Look, look, nth_look
from ibtrain.surrogates.registry import surrogate_label

_TITLES: dict[str, str] = {"surrogate": "regularizer", "loss": "minimised", "latent": "latent"}
_LABELS: dict[str, Callable[[str], str]] = {
    "surrogate": surrogate_label,
    "loss": surrogate_label,
    "latent": lambda name: f"{name} latent" if name else "any latent",
}
_CANDIDATES = 72


@dataclasses.dataclass(frozen=True)
class Group:
    """Runs that minimise the same with the same kind of latent.

    Args:
        surrogate: The regularizer's surrogate.
        loss: What was minimised for the loss term.
        latent: What makes Z random.
        label: What tells the group from the others of the picture.
        look: How it looks.
    """

    surrogate: str
    loss: str
    latent: str
    label: str
    look: Look


@dataclasses.dataclass(frozen=True)
class Groups:
    """All groups of a picture, in the order of its legend.

    Args:
        title: What they differ in.
        members: The groups.
    """

    title: str
    members: tuple[Group, ...]

    def numbers(self, table: pd.DataFrame) -> "pd.Series[int]":
        """Return for each row of a table the number of its group."""
        places = {(one.surrogate, one.loss, one.latent): index for index, one in enumerate(self.members)}
        return pd.Series([places[key] for key in _keys(table)], index=table.index, dtype=int)


def groups_of(table: pd.DataFrame) -> Groups:
    """Return the groups of runs in a table.

    One that differs from the others in its regularizer, or in what was minimised, alone looks like its surrogate in
    every picture; where two would look the same, the later one takes the next look that is free.

    Args:
        table: Rows, as `ibtrain.drawing.frames.frame` returns them.

    Example:
        >>> table = pd.DataFrame({"surrogate": "", "loss": ["CE[Y|Z]", "Exact[Y|Z]"], "latent": "categorical"})
        >>> groups = groups_of(table)
        >>> groups.title, [group.label for group in groups.members]
        ('minimised', ['decoder uncertainty', 'decoder cross-entropy'])
    """
    keys = sorted(set(_keys(table)), key=lambda key: ([look(name).rank for name in key[:2]], key))
    members: list[Group] = []
    used: set[str] = set()
    for key in keys:
        told = _told(key, keys)
        used.update(told)
        label = ", ".join(_LABELS[field](name) for field, name in told.items())
        members.append(Group(*key, label, _free(list(told.values()), [member.look for member in members])))
    return Groups(", ".join(title for field, title in _TITLES.items() if field in used), tuple(members))


def ways_of(table: pd.DataFrame, groups: Groups) -> "pd.Series[str]":
    """Return for each row of a table the way that it belongs to: trials of one group at one gamma share one.

    Args:
        table: Rows.
        groups: The groups of the picture.
    """
    shared = groups.numbers(table).astype(str) + " at " + table["gamma"].map(repr)
    trials = table.assign(way=shared).groupby("way")[["run", "seed"]].nunique()
    repeated = shared.map(trials["run"] > trials["seed"])
    return shared.where(~repeated, shared + " in " + table["run"])


def _told(key: tuple[str, str, str], keys: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    """Return what tells a group from the others by field, and no more than that; its regularizer if there are none."""
    told: dict[str, str] = {}
    rivals = list(keys)
    for index, field in enumerate(_TITLES):
        if len({rival[index] for rival in rivals}) > 1:
            told[field] = key[index]
            rivals = [rival for rival in rivals if rival[index] == key[index]]
    if len(told) > 1 and not told.get("surrogate", "-"):
        del told["surrogate"]  # "none" says nothing where the loss, or the latent, tells the group from all others
    return told or {"surrogate": key[0]}


def _keys(table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    return zip(table["surrogate"], table["loss"], table["latent"], strict=True)


def _free(names: Sequence[str], taken: Sequence[Look]) -> Look:
    """Return the first look of some names, or else of all, whose mark and colour are free, or the pair of them."""
    marks, colours = {one.mark for one in taken}, {one.colour for one in taken}
    pairs = {(one.mark, one.colour) for one in taken}
    candidates = [look(name) for name in names] + [nth_look(number) for number in range(_CANDIDATES)]
    free = [one for one in candidates if one.mark not in marks and one.colour not in colours]
    free += [one for one in candidates if (one.mark, one.colour) not in pairs]
    return (free or candidates)[0]
