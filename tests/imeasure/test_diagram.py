import itertools
import re
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from imeasure import Distribution, Model, simplify, supervised
from imeasure.diagrams import Diagram, diagram
from imeasure.diagrams.arrange import POINTS, arrange
from imeasure.diagrams.chains import chain_of, chain_order, interval_atoms
from imeasure.diagrams.content import content
from imeasure.diagrams.placing import Box, beside, depth, fitting
from imeasure.diagrams.shapes import chain_fields, circle, gallery, hill, layout
from imeasure.diagrams.valuation import compact
from imeasure.errors import ConfigError, ModelError, NonlinearError, UnknownVariableError
from imeasure.measure import mask_of
from imeasure.words import glossary

MODELS = [
    "X",
    "X Y",
    "X Y Z",
    "A B C D",
    "A B C D E",
    "Y -> X -> Z",
    "X -> Y",
    "Y -> X -> Z -> Yhat",
    "A -> B -> C -> D -> E",
    "X1 -> X2 -> X3 -> X4 -> X5 -> X6",
    "X -> Y; X -> Z; X -> W",
    "Y -> X -> Z; W -> Z",
    "A -> B; A -> C; B,C -> D",
    "A -> B -> C; B -> D; D -> E",
]


def expected_atoms(text):
    model = Model(text) if "->" in text else Model(fixed=text.split())
    names = model.variables
    index = {name: i for i, name in enumerate(names)}
    gone = {mask_of((v for g in atom.groups for v in g), index) for atom in model.vanishing_atoms()}
    return set(range(1, 1 << len(names))) - gone


def corners(box):
    for dx, dy in itertools.product((-0.5, -0.25, 0.0, 0.25, 0.5), (-0.5, 0.0, 0.5)):
        yield box.x + dx * box.width, box.y + dy * box.height


def check_geometry(drawn):
    for panel in drawn.panels:
        assert set(panel.regions) == panel.layout.atoms == set(panel.content.atoms)
        boxes = [*(region.box for region in panel.regions.values()), *panel.titles.values()]
        for mask, region in panel.regions.items():
            assert region.area > 0.002
            assert region.font_size >= 7.0
            if region.box.anchor is None:
                assert {panel.layout.at(x, y) for x, y in corners(region.box)} == {mask}
            else:
                assert panel.layout.at(*region.box.anchor) == mask
        for first, second in itertools.combinations(boxes, 2):
            assert not first.overlaps(second)
        for box, other in itertools.permutations(boxes, 2):
            assert not other.meets(box.line)
        left, right, bottom, top = panel.extent
        for box in boxes:
            assert left <= box.x - box.width / 2 <= box.x + box.width / 2 <= right + 1e-9
            assert bottom <= box.y - box.height / 2 <= box.y + box.height / 2 <= top + 1e-9


@pytest.mark.parametrize("text", MODELS)
def test_regions_are_the_atoms_that_do_not_vanish_and_labels_lie_in_them(text):
    drawn = diagram(text)
    check_geometry(drawn)
    (panel,) = drawn.panels
    assert set(panel.regions) == expected_atoms(text)
    # matplotlib's own measure of what was drawn: no text is cut off, no two texts overlap.
    drawn.figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in drawn.axes[0].texts if text.get_text()]
    page = drawn.figure.bbox
    for box in boxes:
        assert page.x0 - 1 <= box.x0 <= box.x1 <= page.x1 + 1
        assert page.y0 - 1 <= box.y0 <= box.y1 <= page.y1 + 1
    for first, second in itertools.combinations(boxes, 2):
        across = min(first.x1, second.x1) - max(first.x0, second.x0)
        up = min(first.y1, second.y1) - max(first.y0, second.y0)
        assert min(across, up) < 3.0


def test_the_bottleneck_has_its_ears_only_inside_the_head():
    panel = diagram("Y -> X -> Z").panels[0]
    x, y, z = panel.layout.fields > 0
    assert not (y & z & ~x).any()
    assert (y & z & x).sum() > 1000
    names = {str(region.atom.name) for region in panel.regions.values()}
    assert names == {"H[Y|X]", "H[Z|X]", "H[X|Y,Z]", "I[X;Y|Z]", "I[X;Z|Y]", "I[Y;Z]"}


@pytest.mark.parametrize("length", [2, 4, 7, 10])
def test_hills_meet_in_intervals_only(length):
    hills = layout(chain_fields(length), 400)
    assert hills.atoms == interval_atoms(range(length))
    assert len(hills.atoms) == length * (length + 1) // 2


def test_long_chains_are_drawn_without_working_out_their_atoms():
    model = Model(" -> ".join(f"X{i}" for i in range(1, 11)))
    shown = content(model, model.variables)
    assert len(shown.atoms) == 55
    names = {str(atom.name) for atom in shown.atoms.values()}
    assert {"I[X3;X6|X2,X7]", "H[X4|X3,X5]", "I[X1;X10]", "H[X1|X2]"} <= names
    assert arrange(10, shown.masks, chain_of(model, model.variables)).atoms == shown.masks
    short = diagram("A -> B -> C -> D").panels[0].regions
    for region in short.values():
        p = Distribution.random("A -> B -> C -> D", 2, 3)
        assert p.value(region.atom.name) == pytest.approx(p.value(region.atom.quantity), abs=1e-12)


def test_a_chain_is_recognised_in_either_direction():
    graphs = {
        "A -> B -> C": ("A", "B", "C"),
        "B -> A; B -> C": ("A", "B", "C"),
        "B -> A; B -> C; C -> D": ("A", "B", "C", "D"),
        "A -> B; C -> B": None,
        "A -> B; C": None,
        "A -> B -> C; A -> C": None,
        "A -> B; A -> C; A -> D": None,
    }
    for text, order in graphs.items():
        found = chain_order(Model(text).digraph())
        assert found == order or found == (order and order[::-1])
    assert chain_order(None) is None


def some_sets_of_atoms():
    yield from ((2, atoms) for size in (1, 2, 3) for atoms in itertools.combinations((1, 2, 3), size))
    generator = np.random.default_rng(0)
    for count, size in [(3, size) for size in range(1, 8)] + [(4, 5), (4, 11), (5, 12)]:
        yield count, tuple(int(m) for m in generator.choice(np.arange(1, 1 << count), size=size, replace=False))


@pytest.mark.parametrize(("count", "atoms"), list(some_sets_of_atoms()))
def test_every_set_of_atoms_can_be_drawn(count, atoms):
    drawn = arrange(count, frozenset(atoms))
    assert drawn.atoms == set(atoms)
    for mask in atoms:
        assert (drawn.labels == mask).sum() > 100


def test_the_gallery_has_every_venn_diagram_with_whole_cells():
    pictures = [layout(fields, POINTS) for fields in gallery()]
    for count in range(1, 6):
        venn = next(p for p in pictures if len(p.fields) == count and len(p.atoms) == 2**count - 1)
        assert all(len(venn.patches(mask)) == 1 for mask in venn.atoms)


@pytest.mark.parametrize(
    ("what", "options"),
    [
        ("X Y Z", {"values": Distribution.named("xor"), "unit": "bits"}),
        ("A B C D", {"values": Distribution.named("four-atom")}),
        ("Y -> X -> Z", {"names": "words"}),
        ("Y -> X -> Z", {"values": Distribution.random("Y -> X -> Z", 3, 1), "names": "values"}),
        ("min I[X;Z] - beta*I[Y;Z]", {"model": supervised()}),
        ("X Y", {"highlight": "max I[X;Y]", "names": "none"}),
        ("X Y", {"names": {"I[X;Y]": "what they share"}, "values": {"I[X;Y]": 0.5, "H[X|Y]": -1}}),
        (supervised(encoder="deterministic"), {}),
        (supervised(weights=True), {"highlight": "I[Z;W|X]"}),
    ],
)
def test_options_keep_the_geometry(what, options):
    check_geometry(diagram(what, **options))


def test_values_colour_regions_and_hatch_negative_ones():
    drawn = diagram("X Y Z", values=Distribution.named("xor"), unit="bits")
    regions = drawn.panels[0].regions
    assert {mask: round(region.atom.value / np.log(2), 9) for mask, region in regions.items()} == {
        1: 0, 2: 0, 4: 0, 3: 1, 5: 1, 6: 1, 7: -1,
    }  # fmt: skip
    assert regions[7].lines[-1] == "−1"
    patches = {patch.get_gid(): patch for patch in drawn.axes[0].patches}
    assert [gid for gid, patch in patches.items() if patch.get_hatch()] == ["atom-7"]
    assert patches["atom-3"].get_facecolor() == patches["atom-5"].get_facecolor() != patches["atom-7"].get_facecolor()
    assert drawn.figure.axes[-1].get_ylabel() == "bits"


def test_values_are_read_as_distributions_are():
    def values(drawn):
        return {mask: region.atom.value for mask, region in drawn.panels[0].regions.items()}

    pandas = pytest.importorskip("pandas")
    same = Distribution.read({(0, 0): "1/2", (1, 1): "1/2"}, "X Y")
    frame = pandas.DataFrame({"X": [0, 1], "Y": [0, 1], "p": [0.5, 0.5]})
    assert values(diagram("X Y", values=frame)) == values(diagram("X Y", values=same))
    dit = pytest.importorskip("dit")
    table = dit.Distribution(["00", "11"], [0.5, 0.5])
    table.set_rv_names("XY")
    assert values(diagram("X Y", values=table)) == values(diagram("X Y", values=same))


def test_highlights_follow_the_sign_of_the_coefficient():
    panel = diagram("min I[X;Z] - beta*I[Y;Z]").panels[0]
    trends = {str(region.atom.quantity): region.atom.trend for region in panel.regions.values()}
    assert trends["I[X;Z|Y]"] == "minimised"
    assert trends["I[X;Y;Z]"] == "depends"
    assert trends["H[X|Y,Z]"] == ""
    maximised = diagram("max I[X;Y]").panels[0].regions
    assert maximised[3].atom.trend == "maximised"
    ranged = diagram("min I[X;Z] - beta*I[Y;Z]", model=Model("Y -> X -> Z", ranges={"beta": (1, 10)}))
    assert {r.atom.trend for r in ranged.panels[0].regions.values()} == {"", "minimised", "maximised"}


def test_a_canonical_form_stands_beside_its_objective():
    form = simplify("min I[X;Z] - beta*I[Y;Z]")
    drawn = diagram(form)
    check_geometry(drawn)
    before, after = drawn.panels
    assert {str(r.atom.name): r.atom.trend for r in before.regions.values()} == {
        "H[X|Y,Z]": "",
        "H[Y|X]": "",
        "H[Z|X]": "",
        "I[X;Y|Z]": "",
        "I[X;Z|Y]": "minimised",
        "I[Y;Z]": "maximised",
    }
    assert {str(r.atom.name) for r in after.regions.values() if r.atom.trend} == {"H[Y|X]", "I[X;Y|Z]", "I[X;Z|Y]"}
    assert [str(r.atom.name) for r in after.regions.values() if r.atom.dropped] == ["I[Y;Z]"]
    assert [panel.content.title.split("\n")[1] for panel in drawn.panels] == [
        "for β > 1",
        "$b = \\frac{1}{\\beta - 1}$, for β > 1",
    ]


@pytest.mark.parametrize("option", ["model", "values", "highlight", "title", "ax", "kind", "unit"])
def test_options_that_a_canonical_form_has_no_use_for_are_refused(option):
    choices = {"kind": "sets", "unit": "bits", "title": "a title"}
    with pytest.raises(ConfigError, match=f"two pictures.*leave out {option}="):
        diagram(simplify("min I[X;Z] - beta*I[Y;Z]"), **{option: choices.get(option, Figure().subplots())})


def test_objectives_are_minimised_and_expressions_have_signs():
    def trends(what):
        return {str(r.atom.name): r.atom.trend for r in diagram(what).panels[0].regions.values() if r.atom.trend}

    assert trends("2*H[X|Y] - I[X;Y]") == {"H[X|Y]": "positive", "I[X;Y]": "negative"}
    assert trends("min 2*H[X|Y] - I[X;Y]") == {"H[X|Y]": "minimised", "I[X;Y]": "maximised"}
    assert trends("max 2*H[X|Y] - I[X;Y]") == {"H[X|Y]": "maximised", "I[X;Y]": "minimised"}
    legend = diagram("2*H[X|Y] - I[X;Y]").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["positive coefficient", "negative coefficient"]


def test_ranges_of_parameters_stand_in_the_title():
    model = Model("Y -> X -> Z", ranges={"beta": (1, 10)})
    assert diagram("min I[X;Z] - beta*I[Y;Z]", model=model).panels[0].content.title.endswith("\nfor 1 < β < 10")


@pytest.mark.parametrize("text", ["W -> X -> Y; W -> Z -> Y", "W X Y Z", "A B C D E", "Y -> X -> Z", "A -> B -> C"])
def test_names_of_sets_are_nearest_to_their_own_areas(text):
    (panel,) = diagram(text).panels
    for bit, name in enumerate(panel.content.names):
        box = panel.titles[name]
        distances = np.hypot(panel.layout.x[None, :] - box.x, panel.layout.y[:, None] - box.y)
        alone = [np.min(distances[panel.layout.labels == 1 << other]) for other in range(len(panel.titles))]
        assert alone[bit] == min(alone)


def test_a_shared_border_shows_both_colours():
    drawn = diagram("A -> B; A -> C; B,C -> D")
    lines = {line.get_gid(): line for line in drawn.axes[0].lines if line.get_gid()}
    assert {f"set-{name}" for name in "ABCD"} <= set(lines)
    shared = [line for gid, line in lines.items() if gid.endswith("-shared")]
    assert shared
    assert all(line.get_zorder() > lines["set-A"].get_zorder() for line in shared)
    assert not [line for line in diagram("X Y Z").axes[0].lines if line.get_gid().endswith("-shared")]


def test_every_set_of_a_long_chain_has_a_line_of_its_own():
    drawn = diagram(" -> ".join(f"X{i}" for i in range(1, 12)), names="none")
    lines = [line for line in drawn.axes[0].lines if line.get_gid() in {f"set-X{i}" for i in range(1, 12)}]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 11


def test_outlines_stand_out_from_what_is_painted():
    drawn = diagram("X Y Z", values=Distribution.named("giant-bit"))
    fills = [np.array(patch.get_facecolor()[:3]) for patch in drawn.axes[0].patches]
    for line in drawn.axes[0].lines:
        assert all(np.abs(np.array(line.get_color()) - fill).max() > 0.25 for fill in fills)


def test_bars_carry_words_or_values():
    form = {"model": supervised(), "kind": "bars"}
    drawn = diagram("I[X;Y|Z] - 2*I[X;Z|Y]", names="words", **form)
    assert [text.get_text() for text in drawn.axes[0].texts] == ["Residual Information", "Redundant Information"]
    valued = diagram("X Y Z", values=Distribution.named("xor"), kind="bars", names="values", unit="bits")
    assert [text.get_text() for text in valued.axes[0].texts] == ["1", "1", "1", "−1"]
    assert not diagram("X Y Z", values=Distribution.named("xor"), kind="bars").axes[0].texts
    axes = Figure(figsize=(6, 4)).subplots()
    assert diagram("X Y Z", values=Distribution.named("xor"), kind="bars", ax=axes).axes[0] is axes
    with pytest.raises(ConfigError, match="too small for the bars"):
        diagram("X Y Z", values=Distribution.named("xor"), kind="bars", ax=Figure(figsize=(2, 1)).subplots())


@pytest.mark.parametrize(
    ("what", "options", "note"),
    [
        ("X Y Z", {"values": Distribution.named("xor")}, "3 more atoms are zero, not drawn"),
        ("X Y", {"values": {"H[X|Y]": 1.0, "I[X;Y]": 0.0}}, "1 more atom is zero, not drawn"),
        ("X Y", {"values": {"H[X|Y]": 1.0}}, ""),
        ("X Y", {"highlight": "2*H[X]"}, "1 more atom has coefficient zero, not drawn"),
    ],
)
def test_bars_say_how_many_atoms_are_zero(what, options, note):
    assert diagram(what, kind="bars", **options).axes[1].get_xlabel() == note


def test_the_legend_of_bars_covers_neither_them_nor_the_title():
    for what, options in (
        ("A B C D E", {"highlight": "-2*H[D,E]"}),
        ("X Y Z", {"values": Distribution.named("xor"), "names": "values", "title": "a title that is wide " * 4}),
    ):
        drawn = diagram(what, kind="bars", **options)
        axes = drawn.axes[0]
        drawn.figure.draw_without_rendering()
        legend = axes.get_legend().get_window_extent()
        others = [*axes.patches, *axes.texts, axes.title]
        assert not any(legend.overlaps(other.get_window_extent()) for other in others)
        assert drawn.figure.bbox.y1 >= max(legend.y1, axes.title.get_window_extent().y1)


def test_bars_dots_are_the_members_of_each_atom():
    p = Distribution.random("A B C D E F", seed=2)
    drawn = diagram("A B C D E F", values=p)
    bars, dots = drawn.axes
    _, inside = (line.get_xydata().astype(int) for line in dots.lines)
    members = {}
    for place, row in inside:
        members[place] = members.get(place, 0) | 1 << row
    assert [p.measure().values[members[place]] for place in sorted(members)] == pytest.approx(
        sorted((bar.get_height() for bar in bars.patches), reverse=True)
    )


def test_many_variables_are_counted_out_quickly():
    names = " ".join(f"X{i}" for i in range(1, 12))
    drawn = diagram(names, values=Distribution.random(names, exact=False))
    assert len(drawn.axes[0].patches) == 40
    assert "of 2047 atoms" in drawn.axes[1].get_xlabel()


def test_bars_stand_for_many_sets():
    p = Distribution.random("A B C D E F", seed=1)
    drawn = diagram("A B C D E F", values=p)
    assert drawn.panels == ()
    heights = [patch.get_height() for patch in drawn.axes[0].patches]
    values = sorted(p.measure().values[1:], key=abs, reverse=True)[: len(heights)]
    np.testing.assert_allclose(sorted(heights), sorted(values))
    left_out = sorted(np.abs(p.measure().values[1:]))[::-1][len(heights)]
    assert drawn.axes[1].get_xlabel() == (
        f"the 40 largest of 63 atoms by absolute value; the next one: {compact(left_out)}"
    )
    few = diagram("X Y", kind="bars", highlight="2*H[X] - I[X;Y]")
    assert [patch.get_height() for patch in few.axes[0].patches] == [2.0, 1.0]
    with pytest.raises(ConfigError, match="bars need heights"):
        diagram("A B C D E F")


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
    with pytest.raises(ConfigError, match="too small for 31 readable labels"):
        diagram("A B C D E", ax=axes)
    assert diagram("A B C D E", ax=axes, names="none").axes == (axes,)


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
        ("X Y", {"highlight": "X Y"}, ConfigError, "has no quantity|is an expression"),
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
        ("X Y", {"unit": "bits"}, ConfigError, "the unit of values"),
        ("X Y", {"title": 3}, ConfigError, "title is text"),
        ("X Y", {"ax": 3}, ConfigError, "a matplotlib Axes"),
        ("A B C D E F", {"highlight": "H[A] - beta*H[B]"}, ConfigError, "bars need numbers"),
        (" ".join(f"X{i}" for i in range(20)), {"kind": "bars"}, ModelError, "draw 16 at most"),
        ("A B C D E F", {"kind": "sets"}, ModelError, "drawn as bars"),
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


def test_the_words_are_those_of_quantities():
    model = supervised()
    names = {str(atom.name) for atom in content(model, model.variables).atoms.values()}
    assert {quantity for quantity in glossary.values() if quantity in names} == {
        "H[Y|X]",
        "H[Z|X]",
        "I[Y;Z]",
        "I[X;Y|Z]",
        "I[X;Z|Y]",
    }


def test_compact_numbers():
    written = {
        0.0: "0", 1.0: "1", -0.6931: "−0.693", 12.5: "12.5", 1234.56: "1235", 0.02: "0.02", 0.00273: "0.0027",
        -1e-9: "−1·10⁻⁹", 1.26e-4: "1.3·10⁻⁴", 2.5e7: "2.5·10⁷", 0.9999: "1", 54321.0: "54321",
    }  # fmt: skip
    assert {value: compact(value) for value in written} == written


def test_numbers_of_one_picture_have_as_many_decimals():
    def written(what, **options):
        return {mask: region.lines[-1] for mask, region in diagram(what, **options).panels[0].regions.items()}

    many = written("W X Y Z", values=Distribution.random("W X Y Z", seed=2)).values()
    assert {len(number.partition(".")[2]) for number in many} == {3}
    assert written("X Y", values={"H[X|Y]": 1e250, "I[X;Y]": -3, "H[Y|X]": 0.0}) == {1: "1·10²⁵⁰", 3: "−3", 2: "0"}
    assert written("X Y", values={"H[X|Y]": 0.5, "I[X;Y]": 2e-5, "H[Y|X]": 0.25}) == {1: "0.50", 3: "2·10⁻⁵", 2: "0.25"}


def test_depth_is_the_distance_to_the_rim():
    region = np.zeros((41, 41), dtype=bool)
    region[5:36, 10:31] = True
    inner = depth(region)
    assert inner.max() == 11.0
    assert inner[20, 20] == 11.0
    assert inner[~region].max() == 0.0
    assert inner[5, 15] == 1.0


def test_boxes_fit_where_the_region_covers_them():
    region = np.zeros((9, 9), dtype=bool)
    region[2:7, 1:8] = True
    room = fitting(region, 3, 5)
    assert np.argwhere(room).tolist() == [[y, x] for y in (3, 4, 5) for x in (3, 4, 5)]
    assert not fitting(region, 11, 3).any()


def test_labels_beside_the_picture_do_not_overlap_and_their_lines_do_not_cross():
    picture = layout([circle(0, 0, 1), hill(0, 1)], 100)
    anchors = {1: (0.3, 0.1), 2: (0.5, 0.12), 3: (0.9, 0.11), 4: (-0.4, 0.0), 5: (-0.5, 0.1)}
    boxes = beside(picture, anchors, dict.fromkeys(anchors, (0.5, 0.2)), 0.05)
    for first, second in itertools.combinations(boxes.values(), 2):
        assert not first.overlaps(second)
    assert boxes[1].meets(((boxes[1].x - 1, boxes[1].y), (boxes[1].x + 1, boxes[1].y)))
    box = Box(0, 0, 1, 1)
    through = [((-2, 0), (2, 0.1)), ((0, -2), (0, 2)), ((0.1, 0.1), (0.2, 0.3))]
    past = [
        None,
        ((-0.6, 0.4), (-0.4, 0.6)),
        ((-2, 0.6), (2, 0.6)),
        ((0.5, -2), (0.5, 2)),
        ((-0.7, 0.4), (-0.4, 0.7)),
        ((0.6, 0), (2, 0)),
    ]
    assert [box.meets(segment) for segment in (*through, *past)] == [True] * 3 + [False] * 6


def test_matplotlib_stays_away_until_it_is_needed():
    import subprocess

    code = "import sys, imeasure; imeasure.Distribution; sys.exit(bool({'matplotlib', 'scipy', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
