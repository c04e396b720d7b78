"""The command `ibtrain compile` prints what the compiler makes, and the documents show its table."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ibtrain import ConfigError, compile  # noqa: A004 - the public name
from ibtrain.cli import cli
from ibtrain.compile_cli import table
from ibtrain.guarantee import Guarantee

IB = "min I[X;Z] - beta*I[Y;Z]"
PAGE = Path(__file__).parents[2] / "docs/reference/losses.md"


def run(*arguments):
    return CliRunner().invoke(cli, ["compile", *arguments])


def test_the_page_of_losses_is_what_the_command_prints():
    text = table()
    assert PAGE.read_text(encoding="utf-8") == text + "\n", "run: ibtrain compile --table > docs/reference/losses.md"
    assert text.count("`CE[") > 5 * 14


def test_the_plan_is_printed_with_its_proof():
    result = run(IB, "--latent", "gaussian", "--surrogates", "Rate[Z|X]")
    assert result.exit_code == 0
    assert "loss = CE[Y|Z] + gamma*Rate[Z|X]" in result.output
    assert "proved: H[Y|Z] + gamma*I[X;Z|Y] <= CE[Y|Z] + gamma*Rate[Z|X]" in result.output


def test_json_holds_the_certificate_and_source_runs():
    data = json.loads(run("CEB", "--json").output)
    assert data["loss"] == "CE[Y|Z] + LogVar[Z|Y]"
    assert Guarantee.from_json(json.dumps(data["guarantee"])).verify()
    namespace = {}
    exec(run(IB, "--source").output, namespace)
    assert callable(namespace["loss"])


def test_names_with_commas_are_split_outside_of_brackets():
    result = run(IB, "--surrogates", "PairwiseRate[X,Z|Y], InfoNCE[Y,Z]")
    assert "loss = -InfoNCE[Y,Z] + gamma*PairwiseRate[X,Z|Y]" in result.output


def test_without_a_proof_the_command_refuses_or_warns():
    refused = run(IB, "--latent", "dropout")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: no proof that the loss bounds")
    warned = run(IB, "--latent", "dropout", "--guarantee", "warn")
    assert "warning: " in warned.output
    assert "no guarantee" in warned.output
    assert run(IB, "--latent", "none").exit_code == 2


@pytest.mark.parametrize("size", ["--dimensions", "--classes"])
@pytest.mark.parametrize("count", ["-1", "0", "1.5"])
def test_sizes_are_counted_from_one(size, count):
    assert run(IB, size, count).exit_code == 2
    with pytest.raises(ConfigError, match="from 1 on"):
        compile(IB, latent="noisy", **{size.removeprefix("--"): float(count)})


def test_a_name_that_is_not_in_the_catalogue_is_refused_with_the_nearest():
    refused = run("CBE")
    assert refused.exit_code == 2
    assert refused.stderr.startswith("error: unknown objective 'CBE'; did you mean 'CEB'? Known: IB, ")


@pytest.mark.parametrize("arguments", [(), (IB, "--table"), (IB, "--source", "--json")])
def test_options_that_exclude_each_other_are_refused(arguments):
    assert run(*arguments).exit_code == 2
