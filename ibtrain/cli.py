"""The command line: `ibtrain demo | compile | train | sweep | reproduce | plane | claims | report | estimate`.

Commands only read options, call the library and print. Exit status 0: done; 2: bad input, with one line on standard
error; 130: stopped by ctrl-C, with readable results. The heavy modules load when a command uses them.
"""

from pathlib import Path

import click
from rich.console import Console

import ibtrain
from ibtrain.claims_cli import claims
from ibtrain.command_line import accelerator_option, stopped
from ibtrain.compile_cli import compile_command
from ibtrain.estimate_cli import estimate
from ibtrain.plane_cli import plane
from ibtrain.report_cli import report
from ibtrain.reproduce_cli import reproduce
from ibtrain.training_cli import sweep, train
from imeasure.command_line import CommandLine, example


@click.group(cls=CommandLine, extra="train", context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="imeasure")
def cli() -> None:
    """Train networks with information objectives and draw their information planes."""


@cli.command(epilog=example("ibtrain demo --fast"))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/demo"), show_default=True)
@click.option("--fast", is_flag=True, help="Fewer and shorter runs: see that everything works.")
@accelerator_option
def demo(out: Path, fast: bool, accelerator: str) -> None:
    """Take min I[X;Z] - beta*I[Y;Z] from its text to an information plane, on real digits."""
    console = Console()
    experiment = ibtrain.experiments.DEMO_FAST if fast else ibtrain.experiments.DEMO
    objective = experiment.base.objective.statement
    loss = ibtrain.compile(objective, latent="noisy", surrogates=[ibtrain.experiments.SURROGATES[0]])
    form = loss.plan.form
    click.echo(f"objective       {objective}\ncanonical form  {form}\n\nderivation\n{form.derivation}\n")
    plans = [
        f"{ibtrain.compile(form, latent='noisy', surrogates=name).plan}\n" for name in ibtrain.experiments.SURROGATES
    ]
    click.echo("\n".join(plans))
    configs = experiment.configs()
    ibtrain.training.check(configs, accelerator=accelerator)
    ibtrain.runs.write_text(out / "canonical.txt", f"{form}\n\n{form.derivation}\n")
    ibtrain.runs.write_text(out / "canonical.json", form.to_json() + "\n")
    ibtrain.runs.write_text(out / "plan.txt", "\n".join(plans))
    experiment.save(out)
    click.echo(f"{ibtrain.runs.in_words(len(configs))} on {experiment.base.data.name}, results in {out}")
    try:
        rows = ibtrain.sweep(configs, out, accelerator=accelerator, console=console)
        ibtrain.drawing.draw_plane(rows, out / "plane.png", title=f"{objective} on {experiment.base.data.name}")
    except KeyboardInterrupt:
        finished = sum(map(ibtrain.runs.Runs(out / "runs").is_finished, configs))
        stopped(finished, len(configs), out / "results.csv")
    console.print(ibtrain.report.summary(rows), crop=False)
    for line in ibtrain.training.broken_lines(rows):
        click.echo(line)
    for name, answer in ibtrain.report.falls(rows, "H[Z|Y]").items():
        label = ibtrain.surrogates.surrogate(name).label
        click.echo(f"H[Z|Y] falls as gamma grows with {label}: {'yes' if answer else 'no'}")
    click.echo(f"picture {out / 'plane.png'}, numbers {out / 'results.csv'}")


for _command in (compile_command, train, sweep, reproduce, plane, claims, report, estimate):
    cli.add_command(_command)

main = cli
"""The program."""
