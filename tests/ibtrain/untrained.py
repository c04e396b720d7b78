"""Runs that were never trained, in folders as a sweep leaves them, and the program that is run on them."""

from click.testing import CliRunner

from ibtrain import Config
from ibtrain.cli import cli
from ibtrain.runs import Row, Runs

SHORT = Config().with_options(
    ["training.epochs=1", "network.hidden=[8]", "network.latent=2", "plane.samples=50", "data.samples=60"]
)
QUANTITIES = ("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Y|Z]", "test accuracy")


def rows_of(config):
    measured = [("mixture", "two-sided", one, 0.1 * number) for number, one in enumerate(QUANTITIES)]
    gamma, seed = config.objective.gamma, config.seed
    return [Row(config.digest, 1, gamma, "LogVar[Z]", seed, q, how, side, v, 0.01) for how, side, q, v in measured]


def store_two(folder):
    """Store two finished runs below a folder."""
    runs = Runs(folder)
    for gamma in (0.1, 1.0):
        config = SHORT.with_options([f"objective.gamma={gamma}"])
        runs.begin(config)
        runs.store(config, rows_of(config))
    return folder


def run(*arguments, **options):
    return CliRunner().invoke(cli, [str(one) for one in arguments], **options)


def refused(result):
    assert result.exit_code == 2, (result.output, result.exception)
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 3000
    return result.stderr
