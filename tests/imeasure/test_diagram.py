"""Options, axes and files of diagrams, and what is refused."""

import itertools
import re
import sys
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from imeasure import Distribution, Model, simplify
from imeasure.diagrams import Diagram, diagram
from imeasure.errors import ConfigError, ModelError, NonlinearError, ParseError, UnknownVariableError


@pytest.mark.parametrize("option", ["model", "values", "highlight", "title", "ax", "kind", "unit"])
def test_options_that_a_canonical_form_has_no_use_for_are_refused(option):
    choices = {"kind": "sets", "unit": "bits", "title": "a title"}
    with pytest.raises(ConfigError, match=f"two pictures.*leave out {option}="):
        diagram(simplify("min I[X;Z] - beta*I[Y;Z]"), **{option: choices.get(option, Figure().subplots())})


@pytest.mark.parametrize("kind", ["sets", "bars"])
def test_dollars_in_a_title_are_dollars(tmp_path, kind):
    title = "<b>&$x_{$ a $\\frac{1}$ b"
    values = Distribution.named("xor")
    diagram("X Y Z", kind=kind, values=values, names="values", title=title).save(tmp_path / "a.svg")
    assert title in "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())


def test_given_axes_hold_the_whole_picture():
    figure = Figure(figsize=(9, 4))
    axes = figure.subplots(1, 2)
    for ax, values in zip(axes, (None, Distribution.named("xor")), strict=True):
        drawn = diagram("X Y Z", ax=ax, values=values)
        assert drawn.figure is figure
        assert drawn.axes == (ax,)
    figure.draw_without_rendering()
    for ax in axes:
        assert all(figure.bbox.contains(*text.get_window_extent().min) for text in ax.texts)


@pytest.mark.parametrize("size", [(2.0, 2.0), (3.0, 2.0), (6.0, 5.0)])
def test_text_keeps_a_readable_size_on_small_axes(size):
    figure = Figure(figsize=size)
    axes = figure.add_axes((0, 0, 1, 1))
    drawn = diagram("Y -> X -> Z", ax=axes)
    figure.draw_without_rendering()
    assert min(text.get_fontsize() for text in axes.texts) >= 6.5
    (panel,) = drawn.panels
    for box in (text.get_window_extent() for text in axes.texts):
        assert figure.bbox.x0 - 2 <= box.x0 <= box.x1 <= figure.bbox.x1 + 2
        assert figure.bbox.y0 - 2 <= box.y0 <= box.y1 <= figure.bbox.y1 + 2
    boxes = [region.box for region in panel.regions.values()]
    assert not any(first.overlaps(second) for first, second in itertools.combinations(boxes, 2))


def test_no_text_is_tiny_on_axes_of_three_inches():
    axes = Figure(figsize=(3.2, 3.0)).subplots()
    assert min(region.font_size for region in diagram("X Y Z", ax=axes).panels[0].regions.values()) >= 6.5


def test_labels_of_many_words_fill_their_lines():
    drawn = diagram("X Y", names={"I[X;Y]": "everything that the two have in common"})
    assert drawn.panels[0].regions[3].lines == ("everything", "that the", "two have", "in common")
    regions = diagram("W X Y Z", values=Distribution.random("W X Y Z", seed=2)).panels[0].regions
    assert sum(region.font_size > 8 for region in regions.values()) >= 13


def test_axes_too_small_for_the_labels_are_refused():
    axes = Figure(figsize=(2, 2)).subplots()
    with pytest.raises(ConfigError, match="too small for 15 readable labels"):
        diagram("W X Y Z", ax=axes)
    assert diagram("W X Y Z", ax=axes, names="none").axes == (axes,)


def test_svg_is_text_that_says_what_it_shows():
    drawn = diagram("X Y Z", values=Distribution.named("xor"))
    svg = drawn._repr_svg_()
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(f"{space}title").text == "Information diagram of X, Y, Z"
    assert root.find(f"{space}desc").text == drawn.description
    assert "I[X;Y;Z]: −0.693 nats" in drawn.description
    assert "−0.693" in {"".join(text.itertext()).strip() for text in root.iter(f"{space}text")}
    ids = [
        element.get("id") for element in ElementTree.fromstring(diagram("A -> B; A -> C; B,C -> D")._repr_svg_()).iter()
    ]
    named = [i for i in ids if i and i.startswith(("atom-", "set-", "name-"))]
    assert len(named) == len(set(named))
    both = diagram(simplify("min I[X;Z] - beta*I[Y;Z]"))._repr_svg_()
    assert {'id="atom-1"', 'id="picture-1-atom-1"'} <= set(re.findall(r'id="[\w-]*atom-1"', both))
    assert "left out with the constant" in both


@pytest.mark.parametrize("name", ["noext", "a.docx", "folder.svg", "a.gif", ""])
def test_files_end_with_a_format(tmp_path, name):
    (tmp_path / "folder.svg").mkdir()
    for path in (tmp_path / name, str(tmp_path / name)):
        with pytest.raises(ConfigError, match=r"\.svg, \.png or \.pdf"):
            diagram("X Y").save(path)
    with pytest.raises(ConfigError, match="a path such as"):
        diagram("X Y").save(None)


def test_files_and_notebooks(tmp_path):
    drawn = diagram("X Y")
    svg = drawn.save(tmp_path / "d.svg")
    root = ElementTree.parse(svg).getroot()
    ids = {element.get("id") for element in root.iter()}
    assert {"atom-1", "atom-2", "atom-3", "set-X", "set-Y"} <= ids
    assert svg.read_bytes() == diagram("X Y").save(tmp_path / "e.svg").read_bytes()
    assert drawn.save(tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")
    assert drawn._repr_png_().startswith(b"\x89PNG")
    assert isinstance(drawn, Diagram)


@pytest.mark.parametrize(
    ("what", "options", "error", "message"),
    [
        ("X Y", {"names": "letters"}, ConfigError, "names must be"),
        ("X Y", {"kind": "pie"}, ConfigError, "kind must be"),
        ("X Y", {"unit": "hartley"}, ConfigError, "unit must be"),
        ("H[X] <= 1", {}, ConfigError, "a diagram shows"),
        (Model(), {}, ModelError, "names no variables"),
        ("CE[Y|Z]", {}, NonlinearError, "no place in a diagram"),
        ("X Y W", {"values": Distribution.named("xor")}, UnknownVariableError, "no variable W"),
        ("Y -> X -> Z", {"values": Distribution.named("xor")}, ModelError, "contradict the model"),
        ("X Y", {"values": {"H[X]": 1.0}}, ConfigError, "not one atom"),
        ("X Y", {"values": 3}, ConfigError, "a mapping from atoms"),
        ("X Y", {"values": {}}, ConfigError, "values= is empty"),
        ("X Y", {"values": {"I[X;Y]": True}}, ConfigError, "one finite number"),
        ("X Y", {"values": {3: 1.0}}, ConfigError, "named by quantities"),
        ("X Y", {"values": {"I[X;Y]": 1.0, "I[Y;X]": 2.0}}, ConfigError, "named before"),
        ("", {}, ConfigError, "nothing to draw; give names"),
        (" , ", {}, ConfigError, "nothing to draw; give names"),
        ("H[X] - H[X]", {}, ConfigError, "has no quantity"),
        ("X Y", {"highlight": "X + Y"}, ConfigError, "has no quantity|is an expression"),
        ("X Y", {"highlight": "X Y"}, ParseError, "a product needs"),
        ("X Y", {"highlight": 3}, ConfigError, "highlight= is an expression"),
        ("I[X;Y]", {"highlight": "H[X|Y]"}, ConfigError, "its own highlight"),
        ("I[X;Y]", {"values": {"I[X;Y]": 1.0}}, ConfigError, "both colour the regions"),
        ("X Y", {"values": {"I[X;Y]": 1.0}, "highlight": "H[X|Y]"}, ConfigError, "both colour the regions"),
        ("X -> Y", {"model": Model("Y -> X")}, ConfigError, "the model of an expression"),
        ("I[X;Y]", {"model": 3}, ConfigError, "a Model or a graph"),
        ("X Y", {"names": "values"}, ConfigError, "give values="),
        ("X Y", {"names": 3}, ConfigError, "names must be"),
        ("X Y", {"names": {"H[X]": "word"}}, ConfigError, "not one atom"),
        ("X Y", {"names": {"I[X;Y]": 3}}, ConfigError, "is no word"),
        ("X Y", {"names": {"I[X;Y]": "shared", "I[Y;X]": "common"}}, ConfigError, "'shared' where it was named before"),
        ("X Y", {"values": {"I[X;Y] + 1": 1.0}}, ConfigError, "not one atom"),
        ("X Y", {"unit": "bits"}, ConfigError, "the unit of values"),
        ("X Y", {"title": 3}, ConfigError, "title is text"),
        ("X Y", {"ax": 3}, ConfigError, "a matplotlib Axes"),
        ("A B C D E F", {"highlight": "H[A] - beta*H[B]"}, ConfigError, "bars need numbers"),
        (" ".join(f"X{i}" for i in range(20)), {"kind": "bars"}, ModelError, "draw 16 at most"),
        ("A B C D E F", {"kind": "sets"}, ModelError, "drawn as bars"),
        (" -> ".join(f"X{i}" for i in range(13)), {}, ModelError, "with up to 12 variables, not 13"),
        ("X Y", {"kind": "bars"}, ConfigError, "bars need heights; give values="),
        (
            "X Y",
            {"kind": "bars", "values": {"I[X;Y]": 0.0}},
            ConfigError,
            "bars need heights; all that are given are zero",
        ),
        (
            Model("A -> B -> C -> D -> E -> F -> G -> J -> K; A -> K"),
            {},
            ModelError,
            "up to 8 variables",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(what, options, error, message):
    with pytest.raises(error, match=message):
        diagram(what, **options)


def test_matplotlib_stays_away_until_it_is_needed():
    import subprocess

    code = "import sys, imeasure; imeasure.Distribution; sys.exit(bool({'matplotlib', 'scipy', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
