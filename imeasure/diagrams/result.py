"""A finished diagram: the figure, and all that is drawn as data, so that geometry can be checked without pixels."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imeasure.diagrams.content import Atom, Content
from imeasure.diagrams.placing import Box
from imeasure.diagrams.shapes import Layout
from imeasure.errors import ConfigError


@dataclass(frozen=True)
class Region:
    """A drawn atom.

    Attributes:
        atom: What it is.
        area: Of all its parts, in the picture's units.
        box: Where its label is.
        lines: The label's lines.
        font_size: In points.
    """

    atom: Atom
    area: float
    box: Box
    lines: tuple[str, ...]
    font_size: float


@dataclass(frozen=True, eq=False)
class Panel:
    """One drawn picture.

    Attributes:
        content: What it shows.
        layout: Its geometry.
        regions: The drawn atoms by bitmask.
        titles: Boxes of the sets' names.
        points: Points per unit that it was planned for.
    """

    content: Content
    layout: Layout
    regions: Mapping[int, Region]
    titles: Mapping[str, Box]
    points: float

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of all that is drawn."""
        boxes = [*(region.box for region in self.regions.values()), *self.titles.values()]
        return (
            min(float(self.layout.x[0]), *(box.x - box.width / 2 for box in boxes)),
            max(float(self.layout.x[-1]), *(box.x + box.width / 2 for box in boxes)),
            min(float(self.layout.y[0]), *(box.y - box.height / 2 for box in boxes)),
            max(float(self.layout.y[-1]), *(box.y + box.height / 2 for box in boxes)),
        )


@dataclass(frozen=True, eq=False)
class Diagram:
    """A finished diagram.

    Attributes:
        figure: The matplotlib figure.
        axes: The axes of its pictures, from left to right.
        panels: The pictures; none for a bar chart.
    """

    figure: Figure
    axes: tuple[Axes, ...]
    panels: tuple[Panel, ...]

    def save(self, path: str | Path, *, dpi: float = 200.0) -> Path:
        """Write the figure, in the format that the name says.

        Args:
            path: Such as ``diagram.svg``, ``diagram.png`` or ``diagram.pdf``.
            dpi: Dots per inch of pixel formats.

        Returns:
            The path.

        Raises:
            ConfigError: If the file cannot be written, or its suffix is no format.
        """
        metadata = {"Date": None} if str(path).endswith("svg") else None
        try:
            with mpl.rc_context({"svg.hashsalt": "imeasure"}):
                self.figure.savefig(path, dpi=dpi, bbox_inches="tight", metadata=metadata)
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot write {path}: {error}") from None
        return Path(path)

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
        return buffer.getvalue()


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes belong to, however deeply nested.

    Args:
        axes: The axes.

    Returns:
        The figure.

    Raises:
        ConfigError: If they were removed from it.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ConfigError("the axes belong to no figure; take them from figure.subplots()")
    return figure
