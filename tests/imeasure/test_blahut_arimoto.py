import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from imeasure.bottleneck import blahut_arimoto
from imeasure.bottleneck.problem import Problem
from imeasure.distribution import Distribution
from imeasure.errors import ConfigError, ModelError, UnknownVariableError

LN2 = math.log(2.0)


def objective(p_xy, encoder, beta, variant):
    """The objective of p(z|x) by the library's own informations."""
    joint = Distribution(np.einsum("xy,xz->xyz", p_xy, encoder), "X Y Z", normalize=True)
    rate = "I[X;Z]" if variant == "ib" else "H[Z]"
    return joint.value(f"{rate} - b*I[Y;Z]", b=beta)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("beta", [0.7, 1.6, 4.0, 25.0])
def test_brute_force_over_all_encoders_finds_nothing_better(seed, beta):
    p_xy = np.random.default_rng(seed).dirichlet(np.full(4, 0.7)).reshape(2, 2)
    best = float(blahut_arimoto(p_xy, beta).objective[0])
    grid = np.linspace(0.0, 1.0, 101)
    a, b = (axis.ravel()[:, None] for axis in np.meshgrid(grid, grid))
    encoders = np.stack([np.hstack([a, 1 - a]), np.hstack([b, 1 - b])], axis=1)
    problem = Problem.of(p_xy, "ib", 1e-10, 1)
    found = problem.objective(problem.terms(encoders), beta)
    assert best <= found.min() + 1e-10
    assert best >= found.min() - 0.002
    at = int(found.argmin())
    assert found[at] == pytest.approx(objective(p_xy, encoders[at], beta, "ib"), abs=1e-10)


@pytest.mark.parametrize("beta", [0.5, 2.0, 8.0, 40.0])
def test_dib_finds_the_best_of_all_partitions(beta):
    p_xy = np.random.default_rng(3).dirichlet(np.full(10, 0.5)).reshape(5, 2)
    curve = blahut_arimoto(p_xy, beta, variant="dib")
    exhaustive = min(
        objective(p_xy, np.eye(5)[list(labels)], beta, "dib") for labels in itertools.product(range(3), repeat=5)
    )
    assert curve.objective[0] <= exhaustive + 1e-10


def test_up_to_beta_one_the_trivial_encoder_is_best():
    p_xy = np.random.default_rng(5).dirichlet(np.ones(12)).reshape(4, 3)
    for variant in ("ib", "dib"):
        curve = blahut_arimoto(p_xy, [0.0, 0.4, 0.99, 1.0], variant=variant)
        np.testing.assert_allclose(curve.objective, 0.0, atol=1e-12)
        np.testing.assert_allclose(curve.information_xz, 0.0, atol=1e-12)


@pytest.mark.parametrize("variant", ["ib", "dib"])
def test_a_noiseless_label_is_copied_above_beta_one(variant):
    curve = blahut_arimoto(Distribution.named("noiseless"), [0.9, 1.1, 3.0], variant=variant)
    np.testing.assert_allclose(curve.information_yz, [0.0, LN2, LN2], atol=1e-10)
    np.testing.assert_allclose(curve.information_xz, [0.0, LN2, LN2], atol=1e-10)
    np.testing.assert_allclose(curve.objective, [0.0, -0.1 * LN2, -2 * LN2], atol=1e-10)


def test_the_binary_symmetric_channel_has_its_closed_form():
    # For fair X and crossover p the optimal Z is X through a symmetric channel q (Mrs. Gerber's lemma).
    p = 0.1
    fair = np.array([[(1 - p) / 2, p / 2], [p / 2, (1 - p) / 2]])

    def h(q):
        return -q * np.log(np.maximum(q, 1e-300)) - (1 - q) * np.log(1 - q)

    q = np.linspace(0.0, 0.5, 400_001)
    for beta in (1.3, 1.7, 2.5, 6.0):
        closed = (LN2 - h(q)) - beta * (LN2 - h(q * (1 - p) + (1 - q) * p))
        assert blahut_arimoto(fair, beta).objective[0] == pytest.approx(closed.min(), abs=1e-9)


@pytest.mark.parametrize("variant", ["ib", "dib"])
def test_iterations_never_raise_the_objective(variant):
    generator = np.random.default_rng(1)
    p_xy = generator.dirichlet(np.ones(18)).reshape(6, 3)
    problem = Problem.of(p_xy, variant, 1e-10, 1)
    encoders = generator.dirichlet(np.ones(6), size=(10, 6))
    for beta in (0.5, 3.0, 30.0):
        now = encoders
        # The deterministic step is monotone from its first hard encoder on.
        now = problem.step(now, beta) if variant == "dib" else now
        values = []
        for _ in range(30):
            values.append(problem.objective(problem.terms(now), beta))
            now = problem.step(now, beta)
        assert (np.diff(values, axis=0) <= 1e-13).all()


def test_the_curve_is_monotone_concave_and_reproducible():
    p_xy = np.random.default_rng(8).dirichlet(np.full(24, 0.4)).reshape(6, 4)
    betas = np.geomspace(0.9, 40.0, 8)
    curve = blahut_arimoto(p_xy, betas, seed=3)
    assert curve.converged.all()
    assert (np.diff(curve.information_xz) >= -1e-12).all()
    assert (np.diff(curve.information_yz) >= -1e-12).all()
    slopes = np.diff(curve.objective) / np.diff(betas)
    assert (np.diff(slopes) <= 1e-9).all()
    assert (curve.information_yz <= curve.joint.value("I[X;Y]") + 1e-12).all()
    again = blahut_arimoto(p_xy, betas, seed=3)
    np.testing.assert_array_equal(curve.encoders, again.encoders)
    other = blahut_arimoto(p_xy, betas, seed=11)
    np.testing.assert_allclose(curve.objective, other.objective, rtol=0, atol=1e-9)


SLOW_SPLIT = np.array(
    [[15, 8, 3], [7, 18, 2], [3, 2, 6], [1, 2, 9], [20, 1, 9], [12, 6, 3]],
)


@pytest.mark.parametrize(
    ("p_xy", "beta"),
    [(np.random.default_rng(8).dirichlet(np.full(24, 0.4)).reshape(6, 4), 40.0), (SLOW_SPLIT / SLOW_SPLIT.sum(), 7.7)],
)
def test_every_seed_finds_the_same_optimum(p_xy, beta):
    found = [blahut_arimoto(p_xy, beta, seed=seed, restarts=restarts) for seed, restarts in ((0, 8), (1, 8), (2, 2))]
    assert all(curve.converged.all() for curve in found)
    np.testing.assert_allclose([float(curve.objective[0]) for curve in found], found[0].objective[0], rtol=0, atol=1e-9)


def test_the_curve_says_where_it_has_not_converged():
    p_xy = np.random.default_rng(8).dirichlet(np.full(24, 0.4)).reshape(6, 4)
    curve = blahut_arimoto(p_xy, [3.0, 40.0], max_iterations=2)
    assert not curve.converged.any()
    assert str(curve).splitlines()[-1] == "not converged at beta = 3, 40; raise max_iterations"
    assert "not converged at beta = 3, 40" in curve._repr_html_()


@pytest.mark.parametrize("variant", ["ib", "dib"])
def test_the_plot_shows_each_point_and_what_bounds_it(variant):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    curve = blahut_arimoto(Distribution.named("noiseless"), [0.5, 2.0, 3.0], variant=variant)
    axes = curve.plot()
    bounds, line = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), curve.information_yz)
    np.testing.assert_array_equal(line.get_xdata(), curve.entropy_z if variant == "dib" else curve.information_xz)
    assert max(bounds.get_ydata()) == pytest.approx(LN2)
    assert axes.get_xlabel() == ("H[Z] (nats)" if variant == "dib" else "I[X;Z] (nats)")
    assert curve.plot(axes) is axes
    pyplot.close(axes.figure)


def test_fixed_points_satisfy_the_self_consistent_equations():
    p_xy = np.random.default_rng(2).dirichlet(np.ones(9)).reshape(3, 3)
    curve = blahut_arimoto(p_xy, [5.0, 20.0])
    problem = Problem.of(curve.joint.probabilities, "ib", 1e-10, 1)
    for beta, encoder in zip(curve.beta, curve.encoders, strict=True):
        np.testing.assert_allclose(problem.step(encoder[None], beta)[0], encoder, atol=1e-4)


def test_results_are_values_with_distributions():
    curve = blahut_arimoto(Distribution.random("Y -> X", 2, 4), [1.0, 6.0], variables=("X", "Y"))
    joint = curve.distribution(1)
    assert joint.names == ("Y", "X", "Z")
    assert joint.value("I[Y;Z|X]") == pytest.approx(0.0, abs=1e-12)
    assert joint.value("I[Y;Z]") == pytest.approx(curve.information_yz[1], abs=1e-10)
    assert joint.value("I[X;Z]") == pytest.approx(curve.information_xz[1], abs=1e-10)
    assert "I[Y;Z]" in str(curve)
    assert "<table>" in curve._repr_html_()
    assert repr(curve) == "<InformationCurve ib: 2 values of beta, 2 converged>"
    exact = blahut_arimoto(Distribution.named("noiseless"), [Fraction(3, 2), np.float32(2)], variables="X Y")
    assert exact.beta.tolist() == [1.5, 2.0]
    assert blahut_arimoto(Distribution.named("xor"), 2.0, latent_size=1).objective[0] == 0.0


def test_values_without_probability_do_no_harm():
    padded = np.array([[0.4, 0.1], [0.1, 0.4], [0.0, 0.0]])
    a, b = blahut_arimoto(padded, [2.0, 9.0]), blahut_arimoto(padded[:2], [2.0, 9.0])
    np.testing.assert_allclose(a.objective, b.objective, atol=1e-10)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"beta": -1.0}, ConfigError, "at least zero"),
        ({"beta": float("nan")}, ConfigError, "finite"),
        ({"beta": []}, ConfigError, "one or several"),
        ({"beta": 2.0, "variant": "vib"}, ConfigError, "variant"),
        ({"beta": 2.0, "latent_size": 0}, ConfigError, "latent_size"),
        ({"beta": "2"}, ConfigError, "finite numbers of at least zero, not '2'"),
        ({"beta": [1.0, "2"]}, ConfigError, "one or several"),
        ({"beta": True}, ConfigError, "one or several"),
        ({"beta": np.ones((2, 2))}, ConfigError, "one or several"),
        ({"beta": 2.0, "latent_size": 2.5}, ConfigError, "latent_size must be a whole number"),
        ({"beta": 2.0, "restarts": "3"}, ConfigError, "restarts must be a whole number"),
        ({"beta": 2.0, "seed": -1}, ConfigError, "seed must be"),
        ({"beta": 2.0, "max_iterations": 0}, ConfigError, "max_iterations must be"),
        ({"beta": 2.0, "tolerance": 0.0}, ConfigError, "tolerance must be"),
        ({"beta": 2.0, "variables": "X"}, ConfigError, "two variables, not X"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        blahut_arimoto(np.full((2, 2), 0.25), **options)


def test_bad_tables_are_refused():
    with pytest.raises(ModelError, match="two axes"):
        blahut_arimoto([0.5, 0.5], 2.0)
    with pytest.raises(ModelError, match=r"dict is not a joint table; read it first, by Distribution\.read"):
        blahut_arimoto({"00": 1.0}, 2.0)
    with pytest.raises(ConfigError, match="there is no 5"):
        blahut_arimoto(np.eye(2) / 2, 2.0).distribution(5)
    with pytest.raises(ModelError, match="negative"):
        blahut_arimoto([[1.5, -0.5]], 2.0)
    with pytest.raises(UnknownVariableError, match="'X'"):
        blahut_arimoto(Distribution.named("four-atom"), 2.0)


def test_weights_are_refused_with_advice_that_can_be_followed():
    with pytest.raises(ModelError, match=r"give Distribution\(joint, 'X Y', normalize=True\)") as raised:
        blahut_arimoto([[1, 0], [0, 1]], 2.0)
    assert "pass normalize" not in str(raised.value)
    assert blahut_arimoto(Distribution([[1, 0], [0, 1]], "X Y", normalize=True), 2.0).converged.all()
