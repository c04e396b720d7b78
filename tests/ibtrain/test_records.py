"""Finished runs are found wherever they lie, each once."""

import dataclasses
import shutil

import pytest

from ibtrain import Config, ConfigError, sweep
from ibtrain.experiments import Experiment
from ibtrain.records import base_of, collect, rows_of
from ibtrain.runs import Row, Runs, write_rows

ONE, TWO = (Config().with_options([f"seed={seed}", "objective.gamma=0.5"]) for seed in (1, 2))


def rows_of_run(config, value=1.0):
    surrogate, gamma = config.objective.surrogate, config.objective.gamma
    return [
        Row(config.digest, 1, gamma, surrogate, config.seed, "H[Z]", "mixture", "two-sided", value, 0.1, latent="noise")
    ]


@pytest.fixture
def swept(tmp_path):
    """Two runs in a sweep's folder, and a figure's folder beside them with the table of both."""
    runs = Runs(tmp_path / "runs")
    for config in (ONE, TWO):
        runs.begin(config)
        runs.store(config, rows_of_run(config))
    write_rows(tmp_path / "results.csv", [*rows_of_run(ONE), *rows_of_run(TWO)])
    Experiment("fig5", ONE, {"seed": (1, 2)}).save(tmp_path / "fig5")
    write_rows(tmp_path / "fig5" / "results.csv", [*rows_of_run(ONE), *rows_of_run(TWO)])
    return tmp_path


@pytest.mark.parametrize("folders", [["."], ["runs"], [".", "fig5"], ["fig5", "."]])
def test_runs_are_found_once_with_configuration_and_folder(swept, folders):
    records = {record.digest: record for record in collect([swept / folder for folder in folders])}
    assert set(records) == {ONE.digest, TWO.digest}
    assert records[ONE.digest].rows == tuple(rows_of_run(ONE))
    assert records[TWO.digest].config == TWO
    assert records[TWO.digest].folder == swept / "runs" / TWO.digest


def test_a_table_of_a_figure_is_enough(swept):
    one, two = collect([swept / "fig5"])
    assert (one.config, two.config) == (
        ONE.with_options(["bottleneck.kind=noise"]),
        TWO.with_options(["bottleneck.kind=noise"]),
    )
    assert one.folder is None


def test_a_single_run_and_a_table_alone_are_enough(swept, tmp_path):
    (record,) = collect([swept / "runs" / ONE.digest])
    assert record.config == ONE
    write_rows(tmp_path / "alone" / "results.csv", rows_of_run(TWO))
    (record,) = collect([tmp_path / "alone"])
    assert (record.digest, record.config, record.folder) == (TWO.digest, None, None)
    assert rows_of([record]) == tuple(rows_of_run(TWO))


def test_results_of_a_run_that_were_changed_are_refused(swept):
    table = swept / "runs" / ONE.digest / "results.csv"
    table.write_text(table.read_text().replace(",1.0,", ",2.0,"))
    with pytest.raises(ConfigError, match="are not those that were stored"):
        collect([swept])


@pytest.mark.parametrize("changed", ["seed = 7", "seed = 1e", 'color = "red"'])
def test_a_configuration_that_is_not_that_of_the_results_is_refused(swept, changed):
    noted = swept / "runs" / ONE.digest / "config.toml"
    noted.write_text(noted.read_text().replace("seed = 1", changed, 1))
    with pytest.raises(ConfigError, match=r"config\.toml was changed.*put it back, or delete the folder"):
        collect([swept])
    with pytest.raises(ConfigError, match=r"config\.toml was changed"):
        sweep([ONE, TWO], swept, accelerator="cpu")


def test_a_run_folder_may_be_copied_to_another_name_but_is_not_the_run_of_that_name(swept):
    copied = shutil.copytree(swept / "runs" / ONE.digest, swept / "copy" / "mine")
    (record,) = collect([copied])
    assert (record.digest, record.config) == (ONE.digest, ONE)
    shutil.rmtree(swept / "runs" / TWO.digest)
    copied.rename(swept / "runs" / TWO.digest)
    with pytest.raises(ConfigError, match=f"holds the results of {ONE.digest}, not of the run"):
        sweep([TWO], swept, accelerator="cpu")


def test_folders_without_results_are_refused_with_a_remedy(tmp_path):
    with pytest.raises(ConfigError, match=r"holds no results\.csv: give the folder that a sweep"):
        collect([tmp_path])


def test_what_varies_is_told_by_key(swept):
    base, varied = base_of(collect([swept]))
    assert base in (ONE, TWO)
    assert set(varied) == {"seed"}
    assert set(varied["seed"]) == {1, 2}
    assert base_of([dataclasses.replace(record, config=None) for record in collect([swept])]) == (None, {})
