"""Curves from tidy rows: what is drawn is what the rows say."""

import dataclasses

import numpy as np
import pytest
from pictures import dots, hollow, legend, lines, plane_rows, row

from ibtrain import drawing
from ibtrain.surrogates.looks import look

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


def test_numbers_of_an_axis_stay_within_it(drawn, tmp_path):
    rows = [
        one
        for epoch in range(1, 8)
        for latent in ("dropout", "noisy-dropout")
        for one in (
            row("H[Z]", 200 - 2080.0 * epoch, epoch=epoch, latent=latent, estimator="knn"),
            row("train accuracy", 0.99, epoch=epoch, latent=latent),
        )
    ]
    drawing.draw_scaling(rows, tmp_path / "four.png")
    drawn[0].draw_without_rendering()
    for axes in drawn[0].axes:
        edges = axes.get_window_extent()
        labels = [label for label in axes.get_xticklabels() if label.get_text()]
        assert len(labels) > 2
        for label in labels:
            assert edges.x0 <= label.get_window_extent().x0 < label.get_window_extent().x1 <= edges.x1


def test_flagged_points_are_hollow_in_curves_and_ways_too(drawn, tmp_path):
    def flagged(rows):
        return [
            dataclasses.replace(one, flags="near ln N") if one.seed == 1 and one.epoch == 2 else one for one in rows
        ]

    scaled = [
        one
        for epoch in (1, 2, 3)
        for seed in (0, 1)
        for one in (
            row("H[Z]", 10.0 - epoch, epoch=epoch, seed=seed, latent="dropout", estimator="knn"),
            row("train accuracy", 0.9, epoch=epoch, seed=seed, latent="dropout"),
        )
    ]
    drawing.draw_scaling(flagged(scaled), tmp_path / "four.png")
    (points,) = dots(drawn[0].axes[0])
    assert hollow(points) == [False, True, False]
    assert legend(drawn[0].axes[0])[-1].startswith("hollow")
    ends = [
        row(quantity, gamma, epoch=2 if gamma == 0.1 else 1, gamma=gamma, seed=seed)
        for quantity in ("H[Z]", "H[Z|Y]")
        for gamma in (0.1, 1.0)
        for seed in (0, 1)
    ]
    drawing.draw_entropies(flagged(ends), tmp_path / "five.png")
    for axes in drawn[1].axes:
        assert [hollow(one) for one in dots(axes)] == [[True, False]]
    assert legend(drawn[1].axes[-1])[-1].startswith("hollow")
    drawing.draw_trajectories(flagged(plane_rows()), tmp_path / "one.png")
    assert [hollow(one) for one in dots(drawn[2].axes[0])] == 3 * [[False, True, False]]
    drawing.draw_entropies(ends, tmp_path / "five.png")
    assert not any(text.startswith("hollow") for text in legend(drawn[3].axes[-1]))


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
    by_name = [look(name).colour for name in ("LogVar[Z|Y]", "LogVar[Z]") for _ in range(2)]
    assert [line.get_color() for line in drawn[0].axes[0].lines[:4]] == by_name
