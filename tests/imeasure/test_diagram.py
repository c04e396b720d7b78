import itertools
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from imeasure import Distribution, Model, simplify, supervised
from imeasure.diagrams import Diagram, diagram
from imeasure.diagrams.arrange import POINTS, arrange
from imeasure.diagrams.chains import chain_of, chain_order, interval_atoms
from imeasure.diagrams.content import compact, content
from imeasure.diagrams.placing import Box, beside, depth, fitting
from imeasure.diagrams.shapes import chain_fields, circle, gallery, hill, layout
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
    with pytest.raises(ConfigError, match="two pictures"):
        diagram(form, ax=Figure().subplots())


def test_bars_stand_for_many_sets():
    p = Distribution.random("A B C D E F", seed=1)
    drawn = diagram("A B C D E F", values=p)
    assert drawn.panels == ()
    heights = [patch.get_height() for patch in drawn.axes[0].patches]
    values = sorted(p.measure().values[1:], key=abs, reverse=True)[: len(heights)]
    np.testing.assert_allclose(sorted(heights), sorted(values))
    assert "smaller atoms not shown" in drawn.axes[0].get_title()
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
    assert [compact(v) for v in (0.0, -1e-9, 1.0, -0.6931, 12.5)] == ["0", "0", "1", "−0.693", "12.5"]


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
    assert not Box(0, 0, 1, 1).meets(None)


def test_matplotlib_stays_away_until_it_is_needed():
    import subprocess

    code = "import sys, imeasure; imeasure.Distribution; sys.exit(bool({'matplotlib', 'scipy', 'pandas'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)
