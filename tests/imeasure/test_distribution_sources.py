import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from imeasure import Model, diagram, parse, rvs
from imeasure.distribution import Distribution, Samples
from imeasure.errors import ConfigError, ModelError, ParseError, UnknownVariableError


def half(x, y):
    return Distribution.read({("a", 0): "1/4", ("a", 1): "1/4", ("b", 0): "1/2"}, f"{x} {y}")


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
    assert Distribution.read({"sun": 0.5, "rain": 0.5}, "sky").outcomes == (("rain", "sun"),)
    assert Distribution.read(pd.Series([0.5, 0.5], ["sun", "rain"])).names == ("X0",)
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
        ({"00": 0.5, "1": 0.5}, None, "'00' and '1' differ in length"),
        ({"00": 0.5, "11": 0.5}, "X Y Z", "outcomes of 2 values need as many names, got 3: X Y Z"),
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
    many = Samples.of(np.random.default_rng(0).integers(0, 2, (50, 15)))
    few = Samples.of(np.random.default_rng(0).integers(0, 2, (50, 15))[:, 3:5], "X3 X4")
    for method in ("plug-in", "miller-madow"):  # not over all subsets of fifteen variables
        assert many.estimate("I[X3;X4]", method=method) == pytest.approx(few.estimate("I[X3;X4]", method=method))


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
    from imeasure.distribution.sources import from_frame

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


@pytest.mark.parametrize("name", ["H", "I", "CE", "KL"])
def test_names_of_quantities_are_no_names_of_variables(name, tmp_path):
    (path := tmp_path / "t.csv").write_text(f"A,{name}\n0,1\n1,0\n")
    for build in (
        lambda: Distribution.read(path),
        lambda: Distribution.random(f"A {name}"),
        lambda: Distribution([[0.5, 0.5]], f"A {name}"),
        lambda: Model(f"A -> {name}"),
        lambda: Model(fixed=["A", name]),
        lambda: parse(f"I[A;{name}]"),
        lambda: rvs(f"A {name}"),
        lambda: diagram(f"A {name}"),
    ):
        with pytest.raises(ParseError, match=f"^{name} is the name of a quantity; rename the variable"):
            build()


@pytest.mark.parametrize("base", ["linear", 2, "e"])
def test_distributions_of_dit_are_read_in_any_base(base):
    dit = pytest.importorskip("dit")
    table = dit.Distribution(["a0", "a1", "b0"], [0.25, 0.25, 0.5])
    bits = dit.shannon.mutual_information(table, [0], [1])
    if base != "linear":
        table.set_base(base)
    read = Distribution.read(table, "X Y")
    np.testing.assert_allclose(read.probabilities, [[0.25, 0.25], [0.5, 0.0]], rtol=1e-12)
    assert read.outcomes == (("a", "b"), ("0", "1"))
    assert Distribution.read(table).names == ("X0", "X1")
    table.set_rv_names("XY")
    assert Distribution.read(table).names == ("X", "Y")
    assert Distribution.read(table).value("I[X;Y]") == pytest.approx(bits * math.log(2))
    with pytest.raises(ConfigError, match="leave names out"):
        Distribution.read(table, "A B")


MISSING = [None, float("nan"), pd.NA, pd.NaT]


@pytest.mark.parametrize("missing", MISSING)
def test_missing_values_are_refused_with_row_and_column(missing):
    frame = pd.DataFrame({"X": [0, 1, 1], "Y": ["u", "v", missing], "p": [0.25, 0.25, 0.5]}, dtype=object)
    for call in (
        lambda: Distribution.read(frame),
        lambda: Distribution.read(frame.drop(columns="p")),
        lambda: Samples.of(frame.drop(columns="p")),
        lambda: Samples.of(frame.drop(columns="p").to_numpy(), "X Y"),
        lambda: Distribution.read([tuple(row) for row in frame.to_numpy()], "X Y"),
    ):
        with pytest.raises(ModelError, match="row 3 has no value of Y"):
            call()
    frame = pd.DataFrame({"X": [0, 1], "p": [1.0, missing]}, dtype=object)
    with pytest.raises(ModelError, match="row 2 has no probability"):
        Distribution.read(frame)


def test_masked_samples_are_missing_values():
    data = np.ma.masked_array([[0, 1], [1, 1]], [[False, False], [True, False]])
    with pytest.raises(ModelError, match="row 2 has no value of X"):
        Samples.of(data, "X Y")


def test_frames_that_are_no_lists_of_outcomes_are_refused():
    frame = pd.DataFrame({"X": [0, 0, 1], "Y": [0, 1, 1]})
    crossed = pd.crosstab(frame["X"], frame["Y"])
    with pytest.raises(ModelError, match=r"index named X, Y; for a cross table give table\.unstack"):
        Distribution.read(crossed)
    expected = {(0, 0): Fraction(1, 3), (0, 1): Fraction(1, 3), (1, 1): Fraction(1, 3)}
    assert Distribution.read(crossed.unstack(), normalize=True).marginal("X Y") == Distribution.read(expected, "X Y")
    with pytest.raises(ConfigError, match="names its columns itself: X, Y"):
        Distribution.read(frame, "A B")
    with pytest.raises(ConfigError, match="names its columns itself"):
        Samples.of(frame, "A B")
    with pytest.raises(ConfigError, match="names its index itself: X"):
        Distribution.read(frame.set_index("X")["Y"], "A")
    for empty in (pd.DataFrame(), frame.iloc[:0]):
        with pytest.raises(ModelError, match="the data frame is empty"):
            Distribution.read(empty)
        with pytest.raises(ModelError, match="the data frame is empty"):
            Samples.of(empty)
    with pytest.raises(ModelError, match="no column beside p"):
        Distribution.read(pd.DataFrame({"p": [1.0]}))
    with pytest.raises(ModelError, match="columns p and count could each be"):
        Distribution.read(pd.DataFrame({"X": [0], "p": [1.0], "count": [3]}))
    with pytest.raises(ConfigError, match="leave names and probability out"):
        Distribution.read(half("X", "Y"), "A B")
    with pytest.raises(ConfigError, match="this source has none"):
        Distribution.read({0: 1}, "X", probability="p")


def test_repeated_outcomes_of_a_series_add_up():
    series = pd.Series(np.array([0.1, 0.2, 0.7], np.float32), pd.Index(["a", "a", "b"], name="X"))
    np.testing.assert_allclose(Distribution.read(series).probabilities, [0.3, 0.7], rtol=1e-6)
    narrow = pd.DataFrame({"X": ["a", "b", "c"], "p": np.array([0.1, 0.2, 0.7], np.float32)})
    assert Distribution.read(narrow).pmf.sum() == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("text", "names", "probability"),
    [
        ("X;Y;P\n0;0;1/2\n1;1;1/2\n", None, None),
        ("X\tY\tProb\n0\t0\t0.5\n1\t1\t0.5\n", None, None),
        ("X|Y|Count\n0|0|7\n1|1|7\n", None, None),
        ("chance,X,Y\n0.5,0,0\n0.5,1,1\n", None, "chance"),
        ("0,0,1/2\n\n1,1,1/2\n", "X Y", None),
        ("0,0\n1,1\n", "X Y", None),
        ("0,0,1/2\n1,1,1/2\n", "X Y q", "q"),
        ("\ufeffX,Y\n0,0\n1,1\n", None, None),
    ],
)
def test_files_of_many_forms(tmp_path, text, names, probability):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    read = Distribution.read(path, names, probability=probability)
    assert read == Distribution.read({"00": "1/2", "11": "1/2"}, "X Y")


def test_only_the_variables_asked_for_are_tabulated(tmp_path):
    generator = np.random.default_rng(0)
    names = [*(f"V{i}" for i in range(70)), "H", "gaps"]
    cells = generator.integers(2, size=(50, 70)).astype(str).tolist()
    lines = [names, *([*row, "0", ""] for row in cells)]
    (path := tmp_path / "many.csv").write_text("\n".join(map(",".join, lines)))
    read = Distribution.read(path, variables="V1 V0")
    assert read == Distribution.read(pd.read_csv(path, dtype=str), variables="V1 V0")
    assert read == Samples.of([(row[1], row[0]) for row in cells], "V1 V0").empirical
    with pytest.raises(ModelError, match=r"^the table of 70 variables would have more than"):
        Distribution.read(path, variables=names[:70])
    with pytest.raises(ModelError, match="row 1 has nothing in column gaps"):
        Distribution.read(path, variables="V0 gaps")
    with pytest.raises(UnknownVariableError, match="unknown variable 'W'"):
        Distribution.read(path, variables="W")
    xor = Distribution.named("xor")
    assert Distribution.read({row[:-1]: row[-1] for row in xor.rows()}, "X Y Z", variables="Z X") == xor.marginal("Z X")
    assert Distribution.read(xor, variables="Z") == xor.marginal("Z")


@pytest.mark.parametrize(
    ("text", "names", "error", "message"),
    [
        ("", None, ModelError, "is empty"),
        ("X,p\n0,0.5\n,0.5\n", None, ModelError, "row 2 has nothing in column X"),
        ("X,p\n0,0.5\n1,\n", None, ModelError, "row 2 has nothing in column p"),
        ("X,p\n0,0.5\n1,many\n", None, ModelError, "row 2: 'many' is not a probability"),
        ("0,0.5\n1,0.5\n", None, ModelError, "has to name the columns, or give them as names="),
        ("X,Y\n0,1\n", "X Y", ConfigError, "names the columns itself; leave names= out"),
        ("0,0,1\n", "X", ConfigError, "first row of .* has 3 cells, and there are 1 names: X; name every"),
    ],
)
def test_bad_files_say_where(tmp_path, text, names, error, message):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with pytest.raises(error, match=message):
        Distribution.read(path, names)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0.5, 0.5], "row 1 is 0.5; a row is a sequence"),
        (["00", "11"], "row 1 is '00'"),
        ([(0.5,), (0.5,)], "there are no outcomes"),
        ([], "there are no outcomes"),
        ([(0, 0.5), (0, 1, 0.5)], "row 2 has 3 entries"),
        ([([1], 1.0)], r"row 1 has \[1\] as value of X0"),
        ([(i, -i, 2 * i, 1) for i in range(200)], "the table of 3 variables would have more than 4194304 cells"),
        (np.full((2, 2), 0.25), "an array with names to Distribution"),
    ],
)
def test_bad_rows_are_refused(rows, message):
    with pytest.raises(ModelError, match=message):
        Distribution.read(rows)


def test_samples_of_one_variable_are_values():
    samples = Samples.of([1, 2, 2], "X")
    assert samples.counts.tolist() == [1, 2]
    assert str(samples) == "X  count\n1  1\n2  2"
    assert repr(samples) == "<Samples of X: 3 samples, 2 outcomes seen>"
    assert "<th>count</th>" in samples._repr_html_()
    assert Samples.of(np.array(["sun", "rain", "sun"]), "sky").empirical.outcomes == (("rain", "sun"),)
    for data in (3, "abc", {"X": 1}):
        with pytest.raises(ModelError, match="samples are an array"):
            Samples.of(data, "X")
    with pytest.raises(ConfigError, match=r"CE\[X\] is not estimated"):
        samples.estimate("CE[X]")
