import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from imeasure.distribution import Distribution, Samples
from imeasure.errors import ConfigError, ModelError, UnknownVariableError


def half(x, y):
    return Distribution.read({("a", 0): "1/4", ("a", 1): "1/4", ("b", 0): "1/2"}, f"{x} {y}")


class DitDistribution:
    """What dit's Distribution offers, with probabilities in bits of surprise until it is copied to a linear base."""

    def __init__(self, table, names, base=2):
        self.table, self.names, self.base = table, names, base

    def copy(self, base):
        assert base == "linear"
        return DitDistribution({k: 2.0**v for k, v in self.table.items()}, self.names, "linear")

    def zipped(self):
        return ((outcome, p) for outcome, p in self.table.items())

    def get_rv_names(self):
        return self.names


def test_every_source_gives_the_same_table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("X, p, Y\na, 1/4, 0\na, 0.25, 1\nb, 1/2, 0\n")
    frame = pd.DataFrame({"X": ["a", "a", "b"], "Y": [0, 1, 0], "p": [0.25, 0.25, 0.5]})
    rows = [("a", 0, 0.25), ("a", 1, 0.25), ("b", 0, 0.25), ("b", 0, 0.25)]
    read = [
        half("X", "Y"),
        Distribution.read(path),
        Distribution.read(str(path)),
        Distribution.read(frame),
        Distribution.read(frame.set_index(["X", "Y"])["p"]),
        Distribution.read(rows, "X Y"),
        Distribution.read(DitDistribution({"a0": -2.0, "a1": -2.0, "b0": -1.0}, ("X", "Y"))),
        Distribution([[0.25, 0.25], [0.5, 0.0]], "X Y", [["a", "b"], [0, 1]]),
    ]
    for distribution in read:
        assert distribution.names == ("X", "Y")
        np.testing.assert_array_equal(distribution.probabilities, [[0.25, 0.25], [0.5, 0.0]])
    assert read[1].exact
    assert read[0].outcomes == (("a", "b"), (0, 1))
    assert Distribution.read(read[0]) is read[0]


def test_names_are_made_up_where_there_are_none():
    assert Distribution.read({"00": 0.5, "11": 0.5}).names == ("X0", "X1")
    assert Distribution.read({0: 0.5, 1: 0.5}, "X").outcomes == ((0, 1),)
    unnamed = DitDistribution({"0": -1.0, "1": -1.0}, None)
    assert Distribution.read(unnamed, "W").names == ("W",)
    mixed = Distribution.read({("a",): "1/2", (1,): "1/2"}, "X")
    assert mixed.outcomes == (("a", 1),)


def test_files_without_probabilities_are_samples(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("X,Y\n0,0\n1,1\n1,1\n")
    assert Distribution.read(path).pmf.tolist() == [[Fraction(1, 3), 0], [0, Fraction(2, 3)]]
    counted = pd.DataFrame({"X": [0, 1], "count": [1, 3]})
    assert Distribution.read(counted).pmf.tolist() == [Fraction(1, 4), Fraction(3, 4)]


@pytest.mark.parametrize(
    ("source", "names", "message"),
    [
        ({}, None, "no outcomes"),
        ({"00": 0.5, "1": 0.5}, None, "has 2 entries, the first row has 3"),
        ({"00": 0.5, "11": 0.5}, "X", "outcomes of 2 values need as many names, got 1: X"),
        (3.0, None, "cannot read a distribution from float"),
        ({"0": 0.5, "1": 0.4}, "X", "sum to 9/10|sum to 0.9"),
        ({"0": "1/0", "1": 0.4}, "X", "not a probability"),
    ],
)
def test_bad_sources_are_refused(source, names, message):
    with pytest.raises(ModelError, match=message):
        Distribution.read(source, names)


def test_bad_files_are_refused(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("X,p\n")
    with pytest.raises(ModelError, match="no rows below its header"):
        Distribution.read(path)
    with pytest.raises(ConfigError, match="cannot read"):
        Distribution.read(tmp_path / "absent.csv")
    path.write_text("X,p\n0,0.5\n1,0.6\n")
    with pytest.raises(ModelError, match="sum to 11/10"):
        Distribution.read(path)
    assert Distribution.read(path, normalize=True).pmf[0] == Fraction(5, 11)


def test_samples_follow_the_distribution():
    p = Distribution.random("X -> Y", 3, 7)
    drawn = p.sample(20_000, seed=1)
    assert drawn.shape == (20_000, 2)
    assert drawn.dtype == np.int64
    counted = Samples.of(drawn, p.names)
    assert np.abs(counted.empirical.probabilities - p.probabilities[: counted.counts.shape[0]]).max() < 0.02
    assert counted.estimate("I[X;Y]") == pytest.approx(p.value("I[X;Y]"), abs=0.01)
    words = half("X", "Y").sample(5)
    assert words.dtype == object
    assert set(words[:, 0]) <= {"a", "b"}


def test_miller_madow_adds_half_the_missing_degrees_of_freedom():
    samples = Samples.of([(0, "a"), (0, "a"), (1, "b"), (2, "b")], "X Y")
    assert len(samples) == 4
    plug_in, corrected = samples.entropies("plug-in"), samples.entropies()
    np.testing.assert_allclose(corrected - plug_in, [0.0, 2 / 8, 1 / 8, 2 / 8])
    assert samples.estimate("H[X]", method="plug-in") == pytest.approx(1.5 * math.log(2))
    assert samples.estimate("b*I[X;Y] + 1", b=2) == pytest.approx(2 * (plug_in[2] + 1 / 8) + 1)
    assert samples.measure("plug-in")["I[X;Y]"] == pytest.approx(math.log(2))


def test_miller_madow_is_less_biased():
    p = Distribution.random("X", 12, 3, exact=False)
    generator = np.random.default_rng(0)
    errors = {"plug-in": 0.0, "miller-madow": 0.0}
    for _ in range(50):
        samples = Samples.of(p.sample(60, generator), "X")
        for method in errors:
            errors[method] += (samples.estimate("H[X]", method=method) - p.value("H[X]")) / 50
    assert errors["plug-in"] < -0.04
    assert abs(errors["miller-madow"]) < abs(errors["plug-in"]) / 2


def test_samples_are_read_from_frames_and_refused_when_bad():
    frame = pd.DataFrame({"X": [0, 1], "Y": ["u", "v"]})
    assert Samples.of(frame).empirical.names == ("X", "Y")
    assert Samples.of([(0, 1)]).empirical.names == ("X0", "X1")
    with pytest.raises(ModelError, match="no samples"):
        Samples.of([])
    with pytest.raises(ModelError, match="one value for each"):
        Samples.of([(0, 1), (0,)], "X Y")
    with pytest.raises(ConfigError, match="method must be"):
        Samples.of([(0,)], "X").estimate("H[X]", method="nsb")
    with pytest.raises(ConfigError, match="not estimated"):
        Samples.of([(0,)], "X").estimate("KL[X]")


def test_unknown_probability_column():
    from imeasure.distribution.tables import from_frame

    with pytest.raises(UnknownVariableError, match="unknown column 'q'"):
        from_frame(pd.DataFrame({"X": [0], "p": [1.0]}), probability="q")


@pytest.mark.parametrize(
    ("outcomes", "problem"),
    [([[0, 0]], "stands twice"), ([[0, float("nan")]], "missing value")],
)
def test_unusable_outcomes_are_refused(outcomes, problem):
    with pytest.raises(ModelError, match=problem):
        Distribution([0.5, 0.5], "X", outcomes)


def test_ragged_rows_are_refused(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("X,Y,p\n0,0,0.5\n1,0.5\n")
    with pytest.raises(ModelError, match="row 2"):
        Distribution.read(path)
