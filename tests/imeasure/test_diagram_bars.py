"""Bars stand for the atoms of many variables."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from imeasure import Distribution, supervised
from imeasure.diagrams import diagram
from imeasure.diagrams.valuation import compact
from imeasure.errors import ConfigError


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
