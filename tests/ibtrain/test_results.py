"""What the pages of results say stands in the tables beside them, and each table holds what its figure shows."""

import importlib.util
import math
import re
from pathlib import Path

import pandas as pd
import pytest

from ibtrain.drawing.frames import frame
from ibtrain.runs import Row, read_rows

PAGES = Path(__file__).parents[2] / "docs" / "results"
TABLES = sorted(path.relative_to(PAGES).as_posix() for path in PAGES.glob("*/fig*.csv"))


@pytest.fixture(scope="module")
def collect():
    spec = importlib.util.spec_from_file_location("collect", PAGES / "collect.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(name):
    return frame(read_rows(PAGES / f"{name}.csv"))


def values(name, **wanted):
    """Return the values of a table where columns have the wanted values, in the order of seeds and epochs."""
    rows = table(name)
    for column, value in wanted.items():
        rows = rows[rows[column] == value]
    return rows.sort_values(["seed", "epoch"])["value"]


def said(page):
    """The words of a page, in one line."""
    return " ".join((PAGES / f"{page}.md").read_text().split())


def cells(page, first):
    """The cells of the row of a page's table that begins so."""
    lines = (PAGES / f"{page}.md").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith(f"| {first} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def test_every_figure_has_a_table_of_its_own_rows(collect):
    assert len(TABLES) == 7
    for name in TABLES:
        found = read_rows(PAGES / name)
        assert {row.quantity for row in found} == set(collect.QUANTITIES[Path(name).stem])
        assert (PAGES / name).with_suffix(".svg").exists() or (PAGES / name).with_suffix(".png").exists()
    assert (PAGES / "digits/fig5.csv").read_bytes() != (PAGES / "digits/fig6.csv").read_bytes()


def test_rows_of_a_figure_are_its_quantities_and_the_last_epoch_where_it_shows_no_more(collect):
    rows = [
        Row("a", epoch, 0.1, "LogVar[Z]", 0, quantity, "mixture", "two-sided", 1 / 3 + epoch)
        for epoch in (1, 2)
        for quantity in ("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Y|Z]", "loss")
    ]
    assert [(row.quantity, row.epoch, row.value) for row in collect.own_rows("fig5", rows)] == [
        ("H[Z]", 2, 2.33333),
        ("H[Z|Y]", 2, 2.33333),
    ]
    assert [(row.quantity, row.epoch) for row in collect.own_rows("fig1", rows)] == [
        (quantity, epoch) for epoch in (1, 2) for quantity in ("I[X;Z]", "I[X;Y|Z]")
    ]


LOSSES = {
    "decoder uncertainty, optimal decoder": "Exact[Y|Z]",
    "decoder cross-entropy": "CE[Y|Z]",
    "prediction cross-entropy": "Prediction[Y|Z]",
}
METRICS = ("decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy")


@pytest.mark.parametrize("label", LOSSES)
def test_the_tables_of_figure_three_are_those_of_the_rows(label):
    medians = [values("digits/fig3", loss=LOSSES[label], quantity=one, epoch=20).median() for one in METRICS]
    accuracy = 100 * values("digits/fig3", loss=LOSSES[label], quantity="test accuracy", epoch=20)
    spread = f"{accuracy.median():.1f} % ({accuracy.min():.1f} to {accuracy.max():.1f})"
    assert cells("digits", label) == [*(f"{value:.3f}" for value in medians), spread]
    trials = [values("mnist/fig3", loss=LOSSES[label], quantity=one, epoch=10) for one in METRICS]
    written = [[float(value) for value in cell.split(",")] for cell in cells("mnist", label)[:3]]
    for shown, measured in zip(written, trials, strict=True):
        assert shown == pytest.approx(list(measured), abs=6e-4)
    percent = 100 * values("mnist/fig3", loss=LOSSES[label], quantity="test accuracy", epoch=10)
    assert cells("mnist", label)[3] == ", ".join(f"{value:.1f} %" for value in percent)


def test_single_runs_with_other_values_have_rows():
    written = dict(
        re.findall(r"^\| [^|]*\| (\d+\.\d %) \| (\w{16}) \|$", (PAGES / "digits.md").read_text(), re.MULTILINE)
    )
    ends = pd.concat([table("digits/other"), table("digits/fig3").query("epoch == 20")])
    shares = ends.query("quantity == 'test accuracy'").set_index("run")["value"]
    assert len(written) == 4
    assert written == {f"{100 * shares[run]:.1f} %": run for run in written.values()}
    assert set(table("digits/other")["run"]) < set(written.values())


def test_numbers_of_figures_one_and_five_are_those_of_the_rows():
    page = said("digits")
    found = [
        values("digits/fig5", quantity="H[Z]", method="mixture", gamma=0.01, surrogate=name).median()
        for name in ("SquaredNorm[Z]", "LogVar[Z|Y]", "LogVar[Z]")
    ]
    assert "H[Z] is {:.1f} with it, {:.1f} with log Var[Z|Y] and {:.1f} with log Var[Z]".format(*found) in page
    way = values("digits/fig1", quantity="I[X;Z]", method="mixture", gamma=0.01, epoch=4).median()
    end = values("digits/fig1", quantity="I[X;Z]", method="mixture", gamma=0.01, epoch=40).median()
    assert f"it is {way:.2f} after 4 epochs and {end:.2f} at the end" in page
    zero = [
        values("digits/fig1", quantity="I[X;Z]", method=one, gamma=0.0, epoch=40).median() for one in ("mixture", "knn")
    ]
    assert f"{zero[0]:.2f} at the end by the mixture" in page
    assert f"{math.floor(10 * zero[1]) / 10:.1f} by nearest neighbours" in page


@pytest.mark.parametrize(("page", "first", "last"), [("digits", 21, 31), ("mnist", 9, 15)])
def test_numbers_of_figure_four_without_noise_are_those_of_the_rows(page, first, last):
    name = f"{page}/fig4"
    high, low = (values(name, quantity="H[Z]", method="knn", latent="dropout", epoch=one) for one in (first, last))
    assert f"H[Z] falls by {(high.to_numpy() - low.to_numpy()).mean():,.0f} nats" in said(page)
    rows = table(name)
    tests = rows[(rows["quantity"] == "test accuracy") & (rows["latent"] == "dropout")]
    errors = 100 * (1 - tests[tests["epoch"].between(first, last)]["value"])
    assert re.search(rf"the test error (between|at) {errors.min():.1f} (and|to) {errors.max():.1f} %", said(page))


def test_the_gaussian_bound_on_mnist_has_one_value_without_noise():
    found = table("mnist/fig4").query("method == 'gaussian' and latent == 'dropout'").set_index("epoch")
    assert found["value"].isna().sum() == 15
    assert (
        f"no value after epochs 1 to 15, the covariance being singular up to rounding; after epoch 16 it is -{-found['value'][16]:,.0f}"
        in said("mnist")
    )
    assert all(flag.startswith("the covariance is singular up to rounding") for flag in found["flags"][:15])


def test_codes_are_those_that_the_pages_count():
    found = pd.read_csv(PAGES / "digits" / "codes.csv")
    assert found["code"].nunique() == 6
    large = found[found["samples"] > 100]
    assert sorted(large.groupby("code")["class"].count()) == [1, 1, 2, 3, 3]
    assert large["median_probability"].min() > 0.99999
    large = pd.read_csv(PAGES / "mnist" / "codes.csv").query("samples > 100")
    shared = large.groupby(["seed", "code"])["class"].apply(list)
    assert [classes for classes in shared[1] if len(classes) > 1] == [[4, 9]]
    assert [classes for classes in shared[2] if len(classes) > 1] == [[4, 7, 9], [0, 5]]
