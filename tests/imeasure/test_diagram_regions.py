"""Regions are the atoms that do not vanish, and their labels lie in them."""

import itertools

import numpy as np
import pytest
from geometry import check_geometry, expected_atoms

from imeasure import Distribution, Model, supervised
from imeasure.diagrams import diagram
from imeasure.diagrams.arrange import POINTS, arrange
from imeasure.diagrams.chains import chain_of, chain_order, interval_atoms
from imeasure.diagrams.content import content
from imeasure.diagrams.placing import Box, beside, depth, fitting
from imeasure.diagrams.shapes import chain_fields, circle, gallery, hill, layout

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
