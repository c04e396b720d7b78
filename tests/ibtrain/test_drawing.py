"""Figures from tidy rows: what is drawn is what the rows say."""

import dataclasses
import sys

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure

from ibtrain import ConfigError, drawing
from ibtrain.cli import main
from ibtrain.drawing import frames
from ibtrain.runs import Row, write_rows


def row(quantity, value, *, epoch=1, gamma=0.1, seed=0, surrogate="LogVar[Z]", estimator="mixture", **fields):
    run = f"{surrogate}{gamma}{seed}{fields.get('loss', '')}{fields.get('latent', '')}"
    return Row(run, epoch, gamma, surrogate, seed, quantity, estimator, "two-sided", value, 0.01, **fields)


def plane_rows(**fields):
    for seed in (0, 1, 2):
        for gamma in (0.0, 0.01, 1.0):
            for epoch in (1, 2, 3):
                yield row("I[X;Z]", 5 - gamma + seed + epoch, epoch=epoch, gamma=gamma, seed=seed, **fields)
                yield row("I[X;Y|Z]", 1 + gamma - seed / 10, epoch=epoch, gamma=gamma, seed=seed, **fields)


@pytest.fixture
def drawn(monkeypatch):
    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *arguments, **options: figures.append(self))
    return figures


def lines(axes):
    return {line.get_label(): np.column_stack(line.get_data()) for line in axes.lines if len(line.get_xdata())}


def test_trajectories_are_medians_over_seeds_and_gamma_zero_is_black(drawn, tmp_path):
    drawing.draw_trajectories(plane_rows(), tmp_path / "one.png")
    axes = drawn[0].axes[0]
    curves = [np.column_stack(line.get_data()) for line in axes.lines[:1]]
    np.testing.assert_allclose(curves[0], [[7, 0.9], [8, 0.9], [9, 0.9]])
    assert axes.lines[0].get_color() == "black"
    np.testing.assert_allclose(lines(axes)["ends of the trajectories"], [[9, 0.9], [8.99, 0.91], [8, 1.9]])


def test_gamma_zero_lies_above_the_others_and_hides_none(drawn, tmp_path):
    drawing.draw_trajectories(plane_rows(), tmp_path / "one.png")
    zero, *others = (line for line in drawn[0].axes[0].lines if len(line.get_xdata()) == 3)
    assert zero.get_linestyle() == ":"
    assert zero.get_zorder() > max(other.get_zorder() for other in others)
    dots = [one for one in drawn[0].axes[0].collections if isinstance(one, PathCollection)]
    assert [len(one.get_facecolors()) for one in dots] == [0, 1, 1]
    assert dots[0].get_zorder() > dots[1].get_zorder() == dots[2].get_zorder()


def test_seeds_have_bands_from_quartile_to_quartile_and_bars_of_standard_errors(drawn, tmp_path):
    drawing.draw_trajectories(plane_rows(), tmp_path / "one.png")
    low, high = (band.get_paths()[0].get_extents() for band in drawn[0].axes[0].collections[2:4])
    assert (low.x0, low.x1, low.y0, low.y1) == pytest.approx((7, 9, 0.85, 0.95))
    assert (high.x0, high.x1) == pytest.approx((6.5, 9.5))
    bars = drawn[0].axes[0].collections[0].get_segments()
    np.testing.assert_allclose(bars[0], [[6.99, 0.9], [7.01, 0.9]])
    drawing.draw_plane(plane_rows(), tmp_path / "plane.png")
    crosses = [np.column_stack(line.get_data()) for line in drawn[1].axes[0].lines if line.get_linewidth() == 3]
    np.testing.assert_allclose(crosses[0], [[8.5, 0.9], [9.5, 0.9]])
    np.testing.assert_allclose(crosses[1], [[9, 0.85], [9, 0.95]])


def test_the_plane_shows_the_last_epoch_of_every_run_in_a_panel_for_each_estimator(drawn, tmp_path):
    knn = [dataclasses.replace(one, estimator="knn, Euclidean", value=99.0) for one in plane_rows()]
    drawing.draw_plane([*plane_rows(), *knn], tmp_path / "plane.svg")
    first, second = drawn[0].axes[:2]
    assert (first.get_title(), second.get_title()) == ("mixture", "knn")
    points = first.collections[-1].get_offsets()
    assert len(points) == 9
    assert sorted(points[:, 0]) == pytest.approx(sorted(8 - g + s for s in (0, 1, 2) for g in (0.0, 0.01, 1.0)))
    assert set(second.collections[-1].get_offsets()[:, 0]) == {99.0}
    drawing.draw_plane([*plane_rows(), *knn], tmp_path / "plane.svg", estimator="knn")
    assert drawn[1].axes[0].get_title() == "Information plane"
    assert set(drawn[1].axes[0].collections[-1].get_offsets()[:, 0]) == {99.0}


METRICS = ("decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy")


def test_cross_entropies_have_a_panel_for_each_loss_and_a_line_for_each_metric(drawn, tmp_path):
    rows = [
        row(metric, shift + 2.0 / epoch + seed, epoch=epoch, seed=seed, loss=loss, estimator="training data")
        for shift, metric in enumerate(METRICS)
        for loss in ("Exact[Y|Z]", "CE[Y|Z]")
        for epoch in (1, 2)
        for seed in (0, 1, 2)
    ]
    drawing.draw_cross_entropies(rows, tmp_path / "three.png", title="digits")
    panels = drawn[0].axes
    titles = [panel.get_title() for panel in panels]
    assert titles == ["minimised: decoder uncertainty", "minimised: decoder cross-entropy"]
    for panel in panels:
        assert tuple(lines(panel)) == METRICS
        np.testing.assert_allclose(lines(panel)["decoder cross-entropy"], [[1, 4], [2, 3]])
    assert drawn[0].get_suptitle() == "digits  (3 trials, median and quartiles)"


@pytest.mark.parametrize(
    "losses", [("CE[Y|Z]",), ("Exact[Y|Z]", "CE[Y|Z]"), ("Exact[Y|Z]", "CE[Y|Z]", "Prediction[Y|Z]")]
)
def test_title_and_legend_lie_within_the_picture_whatever_its_width(drawn, tmp_path, losses):
    rows = [
        row(metric, 1.0 / epoch, epoch=epoch, loss=loss) for metric in METRICS for loss in losses for epoch in (1, 2)
    ]
    title = "Figure 3 on permuted-mnist: decoder uncertainty and cross-entropies"
    drawing.draw_cross_entropies(rows, tmp_path / "three.png", title=title)
    figure = drawn[0]
    figure.draw_without_rendering()
    for part in (figure.legends[0], figure._suptitle):
        shown = part.get_window_extent()
        assert figure.bbox.x0 <= shown.x0 < shown.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= shown.y0 < shown.y1 <= figure.bbox.y1
    assert " ".join(figure.get_suptitle().split()) == f"{title} (1 trial)"


def test_scaling_pairs_the_error_with_the_entropy_of_the_same_epoch_from_the_largest_entropy_on(drawn, tmp_path):
    entropies = {1: -20.0, 2: -10.0, 3: -30.0}
    rows = [
        one
        for latent in ("dropout", "noisy-dropout")
        for epoch, entropy in entropies.items()
        for one in (
            row("H[Z]", entropy, epoch=epoch, latent=latent, estimator="knn, Euclidean"),
            row("H[Z]", entropy + 1, epoch=epoch, latent=latent, estimator="gaussian"),
            row("train accuracy", 1 - 0.1 * epoch, epoch=epoch, latent=latent),
        )
    ]
    drawing.draw_scaling(rows, tmp_path / "four.png")
    assert [axes.get_title() for axes in drawn[0].axes] == ["without noise", "with noise"]
    for axes in drawn[0].axes:
        np.testing.assert_allclose(lines(axes)["knn"], [[-10, 20], [-30, 30]])
        np.testing.assert_allclose(lines(axes)["gaussian"], [[-9, 20], [-29, 30]])


def test_entropies_have_a_line_for_each_surrogate_and_estimator(drawn, tmp_path):
    rows = [
        row(quantity, gamma + len(quantity), gamma=gamma, surrogate=surrogate, estimator=estimator)
        for quantity in ("H[Z]", "H[Z|Y]")
        for gamma in (0.0, 0.1, 1.0)
        for surrogate in ("LogVar[Z]", "LogVar[Z|Y]")
        for estimator in ("mixture", "knn, Euclidean")
    ]
    drawing.draw_entropies(rows, tmp_path / "five.png")
    curves = [np.column_stack(line.get_data()) for line in drawn[0].axes[0].lines[:4]]
    for curve in curves:
        np.testing.assert_allclose(curve, [[0.1, 4.1], [1.0, 5.0]])
    assert [line.get_linestyle() for line in drawn[0].axes[0].lines[:4]] == ["-", "--", "-", "--"]


@pytest.mark.parametrize(
    "draw",
    [
        drawing.draw_plane,
        drawing.draw_trajectories,
        drawing.draw_entropies,
        drawing.draw_scaling,
        drawing.draw_cross_entropies,
    ],
)
def test_nothing_to_draw_is_said(draw, tmp_path):
    for rows in ([], [row("loss", 1.0)]):
        with pytest.raises(ConfigError, match="nothing to draw"):
            draw(rows, tmp_path / "picture.png")
    assert not list(tmp_path.iterdir())


def test_pictures_are_deterministic_files_of_known_kinds(tmp_path):
    for name in ("one.svg", "two.svg"):
        drawing.draw_plane(plane_rows(), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert "preserved information" in (tmp_path / "one.svg").read_text()
    with pytest.raises(ConfigError, match=r"must end in \.png, \.svg or \.pdf"):
        drawing.draw_plane(plane_rows(), tmp_path / "plane.docx")


def test_quartiles_are_those_of_the_seeds():
    table = frames.frame([row("H[Z]", float(value), seed=value) for value in range(5)])
    assert frames.quartiles(table, "gamma").iloc[0].tolist() == [1.0, 2.0, 3.0]


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["ibtrain", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_the_plane_command_draws_runs_of_several_folders(tmp_path, monkeypatch, capsys):
    for seed in (0, 1):
        write_rows(tmp_path / str(seed) / "results.csv", [one for one in plane_rows() if one.seed == seed])
    out = tmp_path / "new folder" / "plane.png"
    assert not run(monkeypatch, "plane", tmp_path / "0", tmp_path / "1", "--out", out)
    assert capsys.readouterr().out == f"picture {out}, 6 runs\n"
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert not run(monkeypatch, "plane", tmp_path / "0", "--out", tmp_path / "ways.svg", "--trajectories")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere"], "holds no results.csv"), (["0", "--estimator", "guess"], "no run was measured by 'guess'")],
)
def test_the_plane_command_refuses_in_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    write_rows(tmp_path / "0" / "results.csv", plane_rows())
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "plane", *arguments) == 2
    assert message in capsys.readouterr().err
