"""What regions show: values, signs of coefficients, words, numbers."""

import numpy as np
import pytest
from geometry import check_geometry

from imeasure import Distribution, Model, simplify, supervised
from imeasure.diagrams import diagram
from imeasure.diagrams.content import content
from imeasure.diagrams.valuation import compact
from imeasure.words import glossary


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
