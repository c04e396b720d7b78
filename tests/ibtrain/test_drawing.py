"""Planes from tidy rows: what is drawn is what the rows say; and what all pictures share."""

import dataclasses
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from pictures import dots, legend, lines, plane_rows, row
from programs import run_in_process

from ibtrain import ConfigError, drawing
from ibtrain.cli import main
from ibtrain.drawing import frames
from ibtrain.drawing.groups import groups_of
from ibtrain.runs import write_rows
from ibtrain.surrogates.looks import look


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
    first, second, third = dots(drawn[0].axes[0])
    assert first.get_zorder() > second.get_zorder() == third.get_zorder()
    assert all(first.get_sizes() < 0.5 * second.get_sizes())
    assert list(second.get_sizes()) == list(third.get_sizes())


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
    assert len(drawn[0].axes) == 3  # with the colours of gamma
    assert sorted(points[:, 0]) == pytest.approx(sorted(8 - g + s for s in (0, 1, 2) for g in (0.0, 0.01, 1.0)))
    assert set(second.collections[-1].get_offsets()[:, 0]) == {99.0}
    drawing.draw_plane([*plane_rows(), *knn], tmp_path / "plane.svg", estimator="knn")
    assert drawn[1].axes[0].get_title() == "Information plane"
    assert set(drawn[1].axes[0].collections[-1].get_offsets()[:, 0]) == {99.0}


LOSSES = ("Exact[Y|Z]", "CE[Y|Z]", "Prediction[Y|Z]")


def figure_three(losses=LOSSES, gammas=(0.0,), **fields):
    """Rows of runs that differ in what was minimised, each loss in a corner of its own."""
    same = {"surrogate": "", "latent": "categorical", "estimator": "exact", **fields}
    for place, loss in enumerate(losses):
        for gamma in gammas:
            for seed in (0, 1, 2):
                yield row("I[X;Z]", 10 * place + seed, seed=seed, gamma=gamma, loss=loss, **same)
                yield row("I[X;Y|Z]", place + seed / 10, seed=seed, gamma=gamma, loss=loss, **same)


def test_losses_at_one_gamma_have_marks_colours_and_quartiles_of_their_own_and_no_bar_of_colours(drawn, tmp_path):
    drawing.draw_plane(figure_three(), tmp_path / "plane.png")
    (axes,) = drawn[0].axes
    assert axes.get_legend().get_title().get_text() == "minimised"
    labels = ["decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy"]
    assert legend(axes) == [*labels, "quartiles over seeds", "gamma = 0 everywhere"]
    assert [sorted(one.get_offsets()[:, 0]) for one in dots(axes)] == [[0, 1, 2], [10, 11, 12], [20, 21, 22]]
    assert [to_hex(one.get_facecolors()[0]) for one in dots(axes)] == [look(loss).colour for loss in LOSSES]
    shapes = [one.get_paths()[0].vertices.tobytes() for one in dots(axes)]
    assert len(set(shapes)) == 3
    crosses = [np.column_stack(line.get_data()) for line in axes.lines if line.get_linewidth() == 3]
    assert [cross[:, 0].tolist() for cross in crosses[::2]] == [[0.5, 1.5], [10.5, 11.5], [20.5, 21.5]]


def test_ways_of_different_losses_are_not_pooled(drawn, tmp_path):
    rows = [dataclasses.replace(one, epoch=epoch) for one in figure_three() for epoch in (1, 2)]
    drawing.draw_trajectories(rows, tmp_path / "ways.png")
    (axes,) = drawn[0].axes
    ways = [line.get_xdata().tolist() for line in axes.lines if line.get_linestyle() == "-"]
    assert ways == [[1, 1], [11, 11], [21, 21]]
    assert legend(axes)[:3] == ["decoder uncertainty", "decoder cross-entropy", "prediction cross-entropy"]


def test_runs_that_differ_in_what_their_rows_do_not_tell_have_no_quartiles(drawn, tmp_path):
    rows = list(figure_three(["CE[Y|Z]"]))
    others = [dataclasses.replace(one, run=f"{one.run}, wider", value=one.value + 100) for one in rows]
    drawing.draw_plane([*rows, *others], tmp_path / "plane.png")
    assert not [line for line in drawn[0].axes[0].lines if line.get_linewidth() == 3]
    ways = [dataclasses.replace(one, epoch=epoch) for one in (*rows, *others) for epoch in (1, 2)]
    drawing.draw_trajectories(ways, tmp_path / "ways.png")
    assert len([line for line in drawn[1].axes[0].lines if line.get_linestyle() == "-"]) == 6


@pytest.mark.parametrize(
    ("gammas", "panels", "told"),
    [
        ((0.0,), 1, ["gamma = 0 everywhere"]),
        ((0.1,), 1, ["gamma = 0.1 everywhere"]),
        ((0.0, 0.1), 1, ["gamma = 0", "in colour: gamma = 0.1"]),
        ((0.1, 1.0), 2, []),
        ((0.0, 0.1, 1.0), 2, ["gamma = 0"]),
    ],
)
def test_gamma_has_a_bar_of_colours_only_where_several_have_one(drawn, tmp_path, gammas, panels, told):
    drawing.draw_plane(figure_three(gammas=gammas), tmp_path / "plane.png")
    assert len(drawn[0].axes) == panels
    assert [text for text in legend(drawn[0].axes[0]) if "gamma =" in text] == told
    colours = {to_hex(face) for one in dots(drawn[0].axes[0]) for face in one.get_facecolors()}
    assert ("#000000" in colours) == (0.0 in gammas and len(gammas) > 1)


def test_a_surrogate_looks_the_same_in_every_picture_whichever_others_are_there(drawn, tmp_path):
    names = ["SquaredNorm[Z]", "LogVar[Z]", "LogVar[Z|Y]"]
    rows = {
        name: [
            row(quantity, 1.0 + gamma, gamma=gamma, surrogate=name)
            for gamma in (0.1, 1.0)
            for quantity in ("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Y|Z]")
        ]
        for name in names
    }
    together = [one for name in names for one in rows[name]]
    for name in names:
        drawing.draw_entropies(rows[name], tmp_path / "five.png")
        assert drawn[-1].axes[0].lines[0].get_color() == look(name).colour
        drawing.draw_plane(rows[name], tmp_path / "six.png")
        alone = dots(drawn[-1].axes[0])[0].get_paths()[0].vertices
        drawing.draw_plane(together, tmp_path / "six.png")
        place = sorted(names, key=lambda one: look(one).rank).index(name)
        np.testing.assert_allclose(dots(drawn[-1].axes[0])[place].get_paths()[0].vertices, alone)
    drawing.draw_entropies(together, tmp_path / "five.png")
    assert legend(drawn[-1].axes[-1])[:3] == ["log Var[Z|Y]", "log Var[Z]", "E||Z||²"]
    drawing.draw_plane(together, tmp_path / "six.png")
    assert legend(drawn[-1].axes[0])[:3] == ["log Var[Z|Y]", "log Var[Z]", "E||Z||²"]


def test_groups_that_would_look_the_same_do_not():
    sums = [f"LogVar[Z] + {name}" for name in ("Noise[Z|X]", "Floor[Z|X]")]
    table = pd.DataFrame(
        [(name, "CE[Y|Z]", kind) for name in ("LogVar[Z]", *sums) for kind in ("noise", "gaussian", "dropout")],
        columns=["surrogate", "loss", "latent"],
    )
    found = groups_of(table)
    assert found.title == "regularizer, latent"
    assert len({(one.look.mark, one.look.colour) for one in found.members}) == 9
    assert found.members[0].label == "log Var[Z], dropout latent"
    assert len({one.look.mark for one in groups_of(table[:3]).members}) == 3


def test_a_group_is_called_by_what_tells_it_from_the_others_and_no_more():
    keys = [("LogVar[Z]", "CE[Y|Z]", "noise"), ("LogVar[Z|Y]", "CE[Y|Z]", "noise")]
    keys += [("", loss, "categorical") for loss in LOSSES]
    found = groups_of(pd.DataFrame(keys, columns=["surrogate", "loss", "latent"]))
    assert found.title == "regularizer, minimised"
    assert [one.label for one in found.members] == [
        "log Var[Z|Y]",
        "log Var[Z]",
        "decoder uncertainty",
        "decoder cross-entropy",
        "prediction cross-entropy",
    ]
    assert [one.look for one in found.members[2:]] == [look(loss) for loss in LOSSES]


every_picture = pytest.mark.parametrize(
    "draw",
    [
        drawing.draw_plane,
        drawing.draw_trajectories,
        drawing.draw_entropies,
        drawing.draw_scaling,
        drawing.draw_cross_entropies,
    ],
)


@every_picture
def test_nothing_to_draw_is_said(draw, tmp_path):
    for rows in ([], [row("loss", 1.0)]):
        with pytest.raises(ConfigError, match="nothing to draw"):
            draw(rows, tmp_path / "picture.png")
    assert not list(tmp_path.iterdir())


WORDS = "<b>&$x_{$ a $\\frac{1}$ b"


@every_picture
def test_dollars_in_titles_and_names_are_dollars(draw, tmp_path):
    quantities = ("I[X;Z]", "I[X;Y|Z]", "H[Z]", "H[Z|Y]", "train accuracy", "decoder uncertainty")
    names = {"surrogate": "$a_{$", "loss": "$b_{$", "latent": "$c_{$"}
    for estimators in (["mixture"], ["mixture", "$d_{$"]):
        rows = [
            row(quantity, gamma + epoch, gamma=gamma, epoch=epoch, estimator=estimator, **names | other)
            for gamma in (0.1, 1.0)
            for epoch in (1, 2)
            for other in ({}, {"surrogate": "LogVar[Z]"}, {"loss": "CE[Y|Z]"})
            for quantity in quantities
            for estimator in (estimators if quantity != "train accuracy" else ["training data"])
        ]
        draw(rows, tmp_path / "picture.svg", title=WORDS)
        drawn = ElementTree.parse(tmp_path / "picture.svg").getroot()
        assert WORDS in " ".join(" ".join(drawn.itertext()).split())


def test_pictures_are_deterministic_files_of_known_kinds(tmp_path):
    for kind in ("svg", "pdf"):
        for name in ("one", "two"):
            drawing.draw_plane(plane_rows(), tmp_path / f"{name}.{kind}")
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()
    assert "preserved information" in (tmp_path / "one.svg").read_text()
    with pytest.raises(ConfigError, match=r"must end in \.png, \.svg or \.pdf"):
        drawing.draw_plane(plane_rows(), tmp_path / "plane.docx")


def test_quartiles_are_those_of_the_seeds():
    table = frames.frame([row("H[Z]", float(value), seed=value) for value in range(5)])
    assert frames.quartiles(table, "gamma").iloc[0].tolist() == [1.0, 2.0, 3.0]


def test_the_plane_command_draws_runs_of_several_folders(tmp_path, monkeypatch, capsys):
    for seed in (0, 1):
        write_rows(tmp_path / str(seed) / "results.csv", [one for one in plane_rows() if one.seed == seed])
    out = tmp_path / "new folder" / "plane.png"
    assert not run_in_process(monkeypatch, main, "plane", tmp_path / "0", tmp_path / "1", "--out", out)
    assert capsys.readouterr().out == f"picture {out}, 6 runs\n"
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert not run_in_process(
        monkeypatch, main, "plane", tmp_path / "0", "--out", tmp_path / "ways.svg", "--trajectories"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["nowhere"], "holds no results.csv"), (["0", "--estimator", "guess"], "no run was measured by 'guess'")],
)
def test_the_plane_command_refuses_in_one_line(tmp_path, monkeypatch, capsys, arguments, message):
    write_rows(tmp_path / "0" / "results.csv", plane_rows())
    monkeypatch.chdir(tmp_path)
    assert run_in_process(monkeypatch, main, "plane", *arguments) == 2
    assert message in capsys.readouterr().err
