"""Still pictures of a page: the figures that the runs can fill and the information diagrams, as data addresses."""

import base64
import dataclasses
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import imeasure
from ibtrain import drawing
from ibtrain.claims import Evidence
from ibtrain.plane import PRESERVED
from ibtrain.records import rows_of
from ibtrain.runs import Row


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture inside a page.

    Args:
        title: What stands above it.
        source: Its data address.
        text: What it shows, for those who do not see it.
        is_wide: Whether it has panels side by side.
    """

    title: str
    source: str
    text: str
    is_wide: bool = False


def pictures(found: Evidence) -> list[Picture]:
    """Return the figures that the runs on one data set can fill.

    Args:
        found: The runs.
    """
    rows = rows_of(found.records)
    exact = [row for row in rows if row.latent == "categorical"]
    scaled = [row for row in rows if row.latent in ("dropout", "noisy-dropout")]
    noisy = [row for row in rows if row.latent not in ("categorical", "dropout", "noisy-dropout")]
    several = len({row.gamma for row in noisy if row.gamma > 0}) > 1
    measured = {row.quantity for row in noisy}
    wanted: list[tuple[bool, str, str, Callable[..., None], Sequence[Row]]] = [
        (
            several and PRESERVED in measured,
            "Where runs end",
            "Preserved against residual information after training, a marker for each group, a colour for each gamma.",
            drawing.draw_plane,
            noisy,
        ),
        (
            _epochs(noisy, PRESERVED) > 2,
            "Ways through the plane",
            "Preserved against residual information over epochs, medians over seeds, a colour for each gamma.",
            drawing.draw_trajectories,
            _over_epochs(noisy),
        ),
        (
            several and "H[Z]" in measured,
            "Entropies against gamma",
            "H[Z] and H[Z|Y] after training against gamma, one colour for each group.",
            drawing.draw_entropies,
            noisy,
        ),
        (
            bool(exact),
            "Cross-entropies",
            "Decoder uncertainty and both cross-entropies over epochs, one panel for each loss that was minimised.",
            drawing.draw_cross_entropies,
            exact,
        ),
        (
            _epochs(scaled, "H[Z]") > 2,
            "Error as Z is scaled down",
            "Training error against the entropy of Z as it is scaled down, with and without noise.",
            drawing.draw_scaling,
            scaled,
        ),
    ]
    return [_picture(title, text, draw, rows) for is_wanted, title, text, draw, rows in wanted if is_wanted]


def _epochs(rows: Sequence[Row], quantity: str) -> int:
    return max((len(epochs) for epochs in _measured(rows, quantity).values()), default=0)


def _measured(rows: Sequence[Row], quantity: str) -> dict[str, set[int]]:
    epochs: dict[str, set[int]] = {}
    for row in rows:
        if row.quantity == quantity:
            epochs.setdefault(row.run, set()).add(row.epoch)
    return epochs


def _over_epochs(rows: Sequence[Row]) -> list[Row]:
    runs = {run for run, epochs in _measured(rows, PRESERVED).items() if len(epochs) > 2}
    return [row for row in rows if row.run in runs]


def _picture(title: str, text: str, draw: Callable[..., Any], rows: Sequence[Row]) -> Picture:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture.svg"
        draw(rows, path, title="")
        return Picture(title, _address(path), text, is_wide=_ratio(path) > 1.8)


def information_diagram(form: imeasure.CanonicalForm) -> Picture:
    """Return the information diagram of an objective and its canonical form.

    Args:
        form: The canonical form.
    """
    diagram = imeasure.diagram(form)
    with tempfile.TemporaryDirectory() as folder:
        path = diagram.save(Path(folder) / "diagram.svg")
        return Picture("Information diagram", _address(path), diagram.description)


def _ratio(path: Path) -> float:
    """Return the width of a drawing by its height."""
    _, _, width, height = ElementTree.parse(path).getroot().attrib["viewBox"].split()  # noqa: S314 - we have drawn it
    return float(width) / float(height)


def _address(path: Path) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
