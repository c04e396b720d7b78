"""What a run's folder says of the run besides its numbers: form, derivation, plan, certificate, versions of the code.

What a run goes on with is noted below what it was begun with.
"""

import functools
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

import ibtrain
from ibtrain.errors import ConfigError
from ibtrain.loss import Loss
from ibtrain.runs import write_text
from imeasure.files import read_text

VERSIONS = "versions.txt"
_LARGEST = 2**20  # bytes

_PACKAGES = ("imeasure", "torch", "torchvision", "lightning-fabric", "numpy", "sympy")


def documents(loss: Loss) -> dict[str, str]:
    """Return canonical form, derivation, loss plan and certificate as texts by file name.

    Args:
        loss: The run's loss.

    Example:
        >>> from ibtrain import compile
        >>> sorted(documents(compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy")))
        ['canonical.json', 'canonical.txt', 'guarantee.json', 'plan.txt']
    """
    form, guarantee = loss.plan.form, loss.guarantee
    return {
        "canonical.txt": f"{form}\n\n{form.derivation}\n",
        "canonical.json": form.to_json() + "\n",
        "plan.txt": f"{loss.plan}\n",
        **({} if guarantee is None else {"guarantee.json": guarantee.to_json() + "\n"}),
    }


def note_versions(folder: Path, *, epoch: int) -> None:
    """Note which code trains a run from an epoch on, below what was noted before.

    Args:
        folder: The run's folder.
        epoch: The first epoch that this code walks.

    Raises:
        ConfigError: If the note cannot be read or written.
    """
    path, now = folder / VERSIONS, code_versions()
    try:
        noted = read_text(path, "versions", most=_LARGEST) if path.exists() else ""
    except ConfigError as error:
        raise ConfigError(f"{error}; delete it to note the versions anew") from None
    if not noted.endswith(now):
        write_text(path, f"{noted}\nfrom epoch {epoch} on\n{now}" if noted else now)


@functools.cache
def code_versions() -> str:
    """Return the versions of Python, of this package with its commit, and of what it stands on, one a line."""
    lines = [f"python {platform.python_version()}", f"cuda {torch.version.cuda or 'none'}", f"commit {_commit()}"]
    for name in _PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} unknown")
    return "\n".join(lines) + "\n"


def _commit() -> str:
    """Return the commit of a checkout, `-dirty` where files were changed since; `none` for an installed package."""
    root, git = Path(ibtrain.__file__).parents[1], shutil.which("git")
    if git is None or not (root / ".git").exists():
        return "none"
    command = [git, "-C", str(root), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)  # noqa: S603 - no user's text
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return found.stdout.strip()
