"""Configurations: strict, and the same after writing and reading."""

import ast
import dataclasses
import inspect
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from ibtrain import Config, ConfigError, config, sweep, sweeps, train, training


def sections():
    return [Config, *(type(f.default) for f in dataclasses.fields(Config) if isinstance(f.default, config.Section))]


def values(field):
    limits = field.metadata
    if limits.get("choices"):
        one = st.sampled_from(limits["choices"])
        several = st.lists(one, min_size=1, max_size=3, unique=True).map(tuple)
        return several if isinstance(field.default, tuple) else one
    if field.type is bool:
        return st.booleans()
    low = limits.get("minimum") if limits.get("minimum") is not None else limits.get("above")
    high = limits.get("maximum") if limits.get("maximum") is not None else limits.get("below")
    if field.type is float:
        return st.floats(
            low,
            high,
            allow_nan=False,
            allow_infinity=False,
            exclude_min=limits.get("above") is not None,
            exclude_max=limits.get("below") is not None,
        )
    if field.type is int:
        return st.integers(low, high if high is not None else 2**40)
    if field.type is str:
        return st.text(st.characters(codec="utf-8"))
    return st.lists(st.integers(1, 4096), max_size=4).map(tuple)


def built(cls):
    inner = {}
    for field in dataclasses.fields(cls):
        nested = isinstance(field.default, config.Section)
        inner[field.name] = built(type(field.default)) if nested else values(field)
    return st.builds(cls, **inner)


@given(built(Config))
@settings(max_examples=25, deadline=None)
def test_reading_what_was_written_is_the_identity(one):
    again = Config.from_toml(one.to_toml())
    assert again == one
    assert again.digest == one.digest


def test_the_digest_changes_with_every_value():
    digests = {Config().digest, Config(seed=1).digest, Config().with_options(["objective.gamma=0.5"]).digest}
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sede = 1", "unknown key 'sede' in the configuration: did you mean 'seed'?"),
        (
            "[training]\nepoch = 1",
            "unknown key 'training.epoch' in the configuration: did you mean 'training.epochs'?",
        ),
        ("seed = 1.5", "seed must be a whole number, not 1.5"),
        ("seed = true", "seed must be a whole number, not True"),
        ("[training]\nepochs = 0", "training.epochs must be at least 1, not 0"),
        ("[objective]\ngamma = nan", "objective.gamma must be finite, not nan"),
        ("[data]\ntest_fraction = 1.0", "data.test_fraction must be less than 1.0, not 1.0"),
        ("[bottleneck]\nnoise_variance = 0", "bottleneck.noise_variance must be at least 1e-12, not 0.0"),
        ("[network]\nhidden = 3", "network.hidden must be a list, not 3"),
        ("[network]\nhidden = [0]", "network.hidden must be at least 1, not 0"),
        ("[data]\nname = 'digit'", "data.name cannot be 'digit': did you mean 'digits'?"),
        ("data = 3", "data must be a table, not 3"),
        ("[plane]\nsamples = 1", "plane.samples must be at least 2, not 1"),
        ("[plane]\nseed = 9223372036854775808", f"plane.seed must be at most {2**63 - 1}, not {2**63}"),
        ("[data]\nsplit_seed = 4294967296", f"data.split_seed must be at most {2**32 - 1}, not {2**32}"),
        ("[network]\nlatent = 100000000000", f"network.latent must be at most {2**20}, not 100000000000"),
        ("[training]\nthreads = 1000000", "training.threads must be at most 256, not 1000000"),
        ("[plane]\nestimators = []", "plane.estimators names nothing: choose one or several of mixture, knn, gaussian"),
        ("[plane]\nestimators = ['knn', 'knn']", "plane.estimators names something twice: ['knn', 'knn']"),
    ],
)
def test_wrong_values_are_refused_by_name(text, message):
    with pytest.raises(ConfigError) as caught:
        Config.from_toml(text)
    assert str(caught.value) == message


def test_text_that_is_no_toml_is_refused():
    with pytest.raises(ConfigError, match="not valid TOML"):
        Config.from_toml("seed = ")


def test_options_replace_values():
    one = Config().with_options(["seed=3", "network.hidden=[8, 9]", "objective.surrogate=LogVar[Z]"])
    assert (one.seed, one.network.hidden, one.objective.surrogate) == (3, (8, 9), "LogVar[Z]")
    assert Config().with_options("seed=3").seed == 3
    with pytest.raises(ConfigError, match=r"unknown key 'gamma' .* did you mean 'objective\.gamma'"):
        Config().with_options(["gamma=1"])
    with pytest.raises(ConfigError, match=r"did you mean 'training\.epochs'"):
        Config().with_options(["trainin.epochs=3"])
    with pytest.raises(ConfigError, match=r"unknown key 'training\.epochs\.x' .* did you mean 'training\.epochs'"):
        Config().with_options(["training.epochs.x=3"])
    with pytest.raises(ConfigError, match=r"unknown key 'a\.b' .* known are bottleneck\.dropout, .*, seed, "):
        Config().with_options(["a.b=3"])
    with pytest.raises(ConfigError, match="has no value"):
        Config().with_options(["seed"])


def test_a_missing_file_is_an_error_with_its_name(tmp_path):
    with pytest.raises(ConfigError, match=r"nothing\.toml"):
        Config.load(tmp_path / "nothing.toml")


@pytest.mark.parametrize("section", sections())
def test_every_field_says_where_its_value_comes_from(section):
    body = ast.parse(inspect.getsource(section)).body[0].body
    documented = {
        field.target.id: text.value.value.lower()
        for field, text in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
    }
    assert set(documented) == {field.name for field in dataclasses.fields(section)}
    assert all("stated in the paper" in text or "our choice" in text for text in documented.values())


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ({"seed": 1}, "not {'seed': 1}: Config.from_mapping(...) makes one of it"),
        ("config.toml", "not 'config.toml': Config.load(...) reads one from a file"),
        (Path("config.toml"), "Config.load(...) reads one from a file"),
        (None, "not None: Config() is one with all defaults"),
    ],
)
def test_what_is_no_configuration_is_refused_with_what_makes_one(tmp_path, given, remedy):
    calls = (
        train,
        lambda one: sweep([one], tmp_path),
        lambda one: sweeps.grid(one, {}),
        lambda one: training.check([one]),
    )
    for call in calls:
        with pytest.raises(ConfigError) as caught:
            call(given)
        assert "a run needs a Config" in str(caught.value)
        assert remedy in str(caught.value)


@pytest.mark.parametrize("given", [Config(), {"seed": 1}, "config.toml"])
def test_a_sweep_of_what_is_no_list_is_refused(tmp_path, given):
    with pytest.raises(ConfigError, match="a sweep needs a list of configurations"):
        sweep(given, tmp_path)
