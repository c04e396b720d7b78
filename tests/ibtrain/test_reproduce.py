"""The paper's figures as experiments: valid as data, refused in one line, and, in their short form, made end to end."""

import dataclasses
import itertools
import math
import tomllib

import pytest
import torch
from programs import run_in_process

from ibtrain import Config, ConfigError, experiments, networks, reproduce, runs, train
from ibtrain.cli import main
from ibtrain.experiments import FIGURES, GAMMAS, PRESETS, SURROGATES, Experiment
from ibtrain.training import build_loss

EVERY = [(preset.name, one.name) for preset in PRESETS.values() for one in preset.experiments]


def experiment(preset, name):
    return next(one for one in PRESETS[preset].experiments if one.name == name)


def options(configs, *path):
    found = []
    for config in configs:
        value = config
        for name in path:
            value = getattr(value, name)
        found.append(value)
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("preset", "name"), EVERY)
def test_every_experiment_is_a_file_and_its_runs_differ(tmp_path, preset, name):
    one = experiment(preset, name)
    one.save(tmp_path)
    assert Experiment.load(tmp_path) == one
    digests = [config.digest for config in one.configs()]
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(("preset", "name"), EVERY)
def test_every_experiment_has_a_loss(preset, name):
    def compiled_as(config):
        return dataclasses.replace(config.objective, gamma=float(config.objective.gamma > 0)), config.bottleneck

    for config in {compiled_as(config): config for config in experiment(preset, name).configs()[::7]}.values():
        build_loss(config)


def test_the_paper_is_as_stated():
    paper = PRESETS["paper"]
    assert {experiments.figure_of(one) for one in paper.experiments} == set(FIGURES)
    for one in paper.experiments:
        configs = one.configs()
        assert options(configs, "training", "optimizer") == ["adam"]
        assert options(configs, "training", "learning_rate") == [1e-4]
        assert options(configs, "training", "decay") == [0.8]
        assert options(configs, "training", "patience") == [3]
        assert options(configs, "seed") == list(range(8))
    planes = experiment("paper", "fig6").configs()
    assert options(planes, "objective", "gamma") == list(GAMMAS)
    assert (GAMMAS[0], GAMMAS[-1]) == (1e-4, 10)
    assert options(planes, "objective", "surrogate") == list(SURROGATES)
    assert options(planes, "network", "latent") == [100]
    third = experiment("paper", "fig3").configs()
    assert options(third, "data", "name") == ["permuted-mnist"]
    assert options(third, "network", "hidden") == options(third, "network", "decoder") == [(1024, 1024)]
    assert options(experiment("paper", "fig3-cifar10").configs(), "network", "name") == ["resnet18"]
    fourth = experiment("paper", "fig4").configs()
    assert options(fourth, "bottleneck", "samples") == [12]
    assert options(fourth, "network", "latent") == [128]
    assert options(fourth, "bottleneck", "kind") == ["dropout", "noisy-dropout"]


@pytest.mark.parametrize("preset", ["digits", "digits-fast", "cifar10", "paper"])
def test_figures_share_their_runs(preset):
    first, fifth, sixth = (
        {config.digest: config for config in experiment(preset, name).configs()} for name in ("fig1", "fig5", "fig6")
    )
    assert fifth == sixth
    assert {config.objective.gamma for config in first.values()} > {0.0}
    assert {digest for digest, config in first.items() if config.objective.gamma} <= fifth.keys()


def test_options_replace_the_base_and_leave_what_is_varied():
    one = experiment("digits", "fig4")
    assert options(one.with_options(["training.learning_rate=0.1"]).configs(), "training", "learning_rate") == [0.1]
    for key in ("seed", "scaling.factor"):
        with pytest.raises(ConfigError, match=f"fig4 varies {key} itself"):
            one.with_options([f"{key}=1"])


def test_cases_hold_values_of_every_kind_and_come_back_from_their_file(tmp_path):
    cases = ({"training.compile": True, "network.hidden": [8, 4]}, {"plane.estimators": ("knn", "gaussian")})
    mine = Experiment("mine", Config(), {"seed": (0,)}, cases)
    mine.save(tmp_path)
    first, second = Experiment.load(tmp_path).configs()
    assert (first, second) == mine.configs()
    assert (first.training.compile, first.network.hidden) == (True, (8, 4))
    assert second.plane.estimators == ("knn", "gaussian")


def test_an_experiment_of_no_figure_is_refused_before_it_is_trained(tmp_path):
    with pytest.raises(ConfigError, match="'mine' names no figure"):
        reproduce.reproduce(Experiment("mine", Config(), {"seed": (0,)}), tmp_path / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fig2"], "there is no figure 'fig2' to reproduce: choose fig1, fig3, fig4, fig5, fig6 or all"),
        (
            ["fig1", "--preset", "digit"],
            "there is no preset 'digit': choose digits, digits-fast, mnist, cifar10, paper",
        ),
        (["fig1", "--preset", "mnist"], "the preset mnist has fig3, fig4, but no fig1"),
        (["all", "--preset", "mnist"], "cannot read the data set mnist below data"),
        (["all", "--preset", "cifar10"], "give --download to fetch it"),
        (["fig6", "--set", "seed=1"], "fig6 varies seed itself"),
        (["fig6", "--set", "sede=1"], "unknown key 'sede'"),
        (["fig6", "--shard", "2"], "--shard needs I/N with I from 1 to N, for example 1/4, not '2'"),
        (["fig6", "--shard", "3/2"], "--shard needs I/N with I from 1 to N, for example 1/4, not '3/2'"),
        (["fig6", "--shard", "0/2"], "--shard needs I/N with I from 1 to N, for example 1/4, not '0/2'"),
    ],
)
def test_bad_options_are_one_line_on_standard_error(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run_in_process(monkeypatch, main, "reproduce", *arguments) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_loss_without_decoder_is_judged_by_the_optimal_one():
    config = experiment("digits-fast", "fig3").configs()[0]
    trained = train(config, accelerator="cpu")
    assert config.objective.loss == "Exact[Y|Z]"
    assert isinstance(trained.network.decoder, networks.OptimalDecoder)
    last = {row.quantity: row.value for row in trained.rows if row.epoch == config.training.epochs}
    assert last["decoder cross-entropy"] == pytest.approx(last["decoder uncertainty"], abs=1e-6)
    assert last["prediction cross-entropy"] < last["decoder cross-entropy"]


def test_the_optimal_decoder_is_the_posterior_of_the_joint():
    generator = torch.Generator().manual_seed(0)
    law = torch.rand(30, 4, generator=generator).log_softmax(dim=1)
    target = torch.arange(30) % 3
    decoder = networks.OptimalDecoder(4, 5)
    decoder.set(law, target)
    joint = torch.stack([law.exp()[target == label].sum(dim=0) for label in range(3)])
    table = decoder(torch.eye(4)[:, None]).exp()[:, 0]
    torch.testing.assert_close(table[:, :3], (joint / joint.sum(dim=0)).T)
    assert (table[:, 3:] == 0).all()


def test_the_latent_is_held_before_it_shrinks_and_the_error_without_noise_does_not_change():
    config = Config().with_options(
        [
            "objective.statement=min H[Y|Z]",
            "objective.gamma=0",
            "bottleneck.kind=dropout",
            "network.hidden=[32]",
            "network.latent=4",
            "training.epochs=5",
            "scaling.start=2",
            "scaling.factor=1e-4",
            "scaling.hold=2",
            "plane.every=1",
            "plane.estimators=['gaussian']",
        ]
    )
    rows = train(config, accelerator="cpu").rows
    falls = [row.value for row in rows if row.quantity == "H[Z]"]
    steps = [before - after for before, after in itertools.pairwise(falls)]
    step = 4 * math.log(1e4)
    assert steps == pytest.approx([0, 0, step, step], abs=1.5)
    accuracy = [row.value for row in rows if row.quantity == "train accuracy"]
    assert accuracy == sorted(accuracy)


def test_a_loss_without_proof_is_told_once_in_plain_words(tmp_path, monkeypatch, capsys):
    arguments = ("--preset", "digits-fast", "--set", "training.epochs=1", "--out", tmp_path, "--accelerator", "cpu")
    assert run_in_process(monkeypatch, main, "reproduce", "fig3", *arguments) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("Prediction[Y|Z]: no proof that the loss bounds") == 1
    assert "note: Prediction[Y|Z]" in shown.out


@pytest.mark.slow
def test_the_short_form_makes_all_figures(tmp_path, monkeypatch, capsys):
    assert (
        run_in_process(
            monkeypatch, main, "reproduce", "all", "--preset", "digits-fast", "--out", tmp_path, "--accelerator", "cpu"
        )
        == 0
    )
    folder = tmp_path / "digits-fast"
    preset = PRESETS["digits-fast"]
    for one in preset.experiments:
        made = folder / one.name
        assert sorted(path.name for path in made.iterdir()) == [
            "config.toml",
            f"{one.name}.png",
            f"{one.name}.svg",
            "results.csv",
            "sweep.toml",
        ]
        assert Experiment.load(made) == one
        rows = runs.read_rows(made / "results.csv")
        assert list(dict.fromkeys(row.run for row in rows)) == [config.digest for config in one.configs()]
        assert not [
            row for row in rows if row.quantity == "broken invariants" and row.value and row.latent != "dropout"
        ]
        assert (made / f"{one.name}.png").read_bytes()[:4] == b"\x89PNG"
    for name in ("fig1", "fig5", "fig6"):
        rows = runs.read_rows(folder / name / "results.csv")
        methods = {row.estimator.split(",")[0] for row in rows if row.quantity in ("H[Z]", "I[X;Z]")}
        assert methods == {"mixture", "knn"}
    fourth = runs.read_rows(folder / "fig4" / "results.csv")
    assert {(row.latent, row.epoch) for row in fourth if row.quantity == "H[Z]" and not math.isnan(row.value)} == {
        (latent, epoch) for latent in ("dropout", "noisy-dropout") for epoch in (1, 2, 3, 4)
    }
    printed = capsys.readouterr().out
    different = {config.digest for one in preset.experiments for config in one.configs()}
    assert f"{len(different)} of {len(different)} different runs are to be trained" in printed
    tables = {one.name: (folder / one.name / "results.csv").read_bytes() for one in preset.experiments}
    assert run_in_process(monkeypatch, main, "reproduce", "all", "--preset", "digits-fast", "--out", tmp_path) == 0
    assert f"0 of {len(different)} different runs are to be trained, 0 epochs" in capsys.readouterr().out
    assert tables == {one.name: (folder / one.name / "results.csv").read_bytes() for one in preset.experiments}


@pytest.mark.slow
def test_shards_together_make_the_figure(tmp_path, monkeypatch, capsys):
    arguments = ["fig6", "--preset", "digits-fast", "--set", "training.epochs=1", "--out", tmp_path]
    assert run_in_process(monkeypatch, main, "reproduce", *arguments, "--shard", "1/2") == 0
    assert "fig6: 9 of 18 runs, the others are not finished" in capsys.readouterr().out
    assert run_in_process(monkeypatch, main, "reproduce", *arguments, "--shard", "2/2", "--workers", 2) == 0
    assert "fig6: 18 runs; picture" in capsys.readouterr().out
    saved = tomllib.loads((tmp_path / "digits-fast" / "fig6" / "config.toml").read_text())
    assert saved["training"]["epochs"] == 1


@pytest.mark.slow
def test_a_run_that_fails_leaves_the_picture_of_the_others(tmp_path):
    one = experiment("digits-fast", "fig6").with_options(["training.epochs=2"])
    broken = Experiment("fig6", one.base, {"training.learning_rate": (1e-3, 1e30)})
    with pytest.raises(ConfigError, match="1 of 2 runs failed"):
        reproduce.reproduce(broken, tmp_path, accelerator="cpu")
    (finished,) = {row.run for row in runs.read_rows(tmp_path / "fig6" / "results.csv")}
    assert finished == broken.configs()[0].digest
    assert (tmp_path / "fig6" / "fig6.svg").is_file()
