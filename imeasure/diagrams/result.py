"""A finished diagram: the figure, and all that is drawn as data, so that geometry can be checked without pixels."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from imeasure.diagrams.content import Atom, Content
from imeasure.diagrams.placing import Box
from imeasure.diagrams.shapes import Layout
from imeasure.diagrams.valuation import compact
from imeasure.errors import ConfigError
from imeasure.files import require_writable, write_bytes, write_text
from imeasure.printing import to_text

SUFFIXES = (".svg", ".png", ".pdf")
"""Endings of the files that a diagram is written to."""


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
        contents: What each picture or bar chart shows.
    """

    figure: Figure
    axes: tuple[Axes, ...]
    panels: tuple[Panel, ...]
    contents: tuple[Content, ...]

    @property
    def description(self) -> str:
        """What the diagram shows, in a few sentences of text: for those who hear it rather than see it.

        Example:
            >>> from imeasure import diagram
            >>> print(diagram("X Y").description)
            Information diagram of X, Y. 3 atoms: H[X|Y], H[Y|X], I[X;Y].
        """
        return " ".join(map(_described, self.contents))

    def save(self, path: str | Path, *, dpi: float = 200.0) -> Path:
        """Write the figure, in the format that the name says.

        SVG keeps text as text, carries a title and a description, and is the same byte by byte every time.

        Args:
            path: Such as ``diagram.svg``, ``diagram.png`` or ``diagram.pdf``.
            dpi: Dots per inch of pixel formats.

        Returns:
            The path.

        Raises:
            ConfigError: If the file cannot be written, or its name does not end with ``.svg``, ``.png`` or ``.pdf``.
        """
        where = writable(path)
        kind = where.suffix.lower().removeprefix(".")
        if kind == "svg":
            write_text(where, self._repr_svg_())
            return where
        buffer = BytesIO()
        metadata = {"CreationDate": None} if kind == "pdf" else None
        try:
            self.figure.savefig(buffer, format=kind, dpi=dpi, bbox_inches="tight", metadata=metadata)
        except ValueError as error:
            raise ConfigError(f"cannot draw {path}: {error}") from None
        write_bytes(where, buffer.getvalue())
        return where

    def _repr_png_(self) -> bytes:
        buffer = BytesIO()
        self.figure.savefig(buffer, format="png", dpi=120, bbox_inches="tight")
        return buffer.getvalue()

    def _repr_svg_(self) -> str:
        buffer = BytesIO()
        title = f"Information diagram of {', '.join(self.contents[0].names)}"
        metadata = {"Date": None, "Creator": "imeasure", "Title": title}
        with mpl.rc_context({"svg.hashsalt": "imeasure", "svg.fonttype": "none"}):
            self.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata=metadata)
        text = buffer.getvalue().decode()
        text = text.replace("</title>", f"</title>\n <desc>{escape(self.description)}</desc>", 1)
        return re.sub(r"<svg ", '<svg role="img" ', text, count=1)


def writable(path: str | Path) -> Path:
    """Return where a diagram is to be written, if its name says one of the formats.

    Args:
        path: Such as ``diagram.svg``.

    Returns:
        The path.

    Raises:
        ConfigError: If it is a folder, cannot be written, or does not end with ``.svg``, ``.png`` or ``.pdf``.

    Example:
        >>> writable("diagram.svg").name
        'diagram.svg'
    """
    if not isinstance(path, str | Path):
        raise ConfigError(f"a diagram is written to a path such as 'diagram.svg', not {path!r}")
    where = Path(path)
    if where.is_dir():
        raise ConfigError(f"{path} is a folder; name a file in it that ends with .svg, .png or .pdf")
    if where.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"cannot write {where.suffix or 'a file without suffix'}; name the file .svg, .png or .pdf")
    require_writable(where)
    return where


def _described(content: Content) -> str:
    """One picture in words."""
    count = len(content.atoms)
    atoms = []
    for atom in content.atoms.values():
        about = [to_text(atom.name)]
        if atom.value is not None:
            about.append(f"{compact(atom.value)} nats")
        if atom.trend:
            about.append("sign depends on the parameters" if atom.trend == "depends" else atom.trend)
        if atom.dropped:
            about.append("left out with the constant")
        atoms.append(": ".join([about[0], ", ".join(about[1:])]) if about[1:] else about[0])
    text = f"Information diagram of {', '.join(content.names)}. {count} atom{'s' * (count != 1)}: {'; '.join(atoms)}."
    return text if any(": " in atom for atom in atoms) else text.replace("; ", ", ")


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
