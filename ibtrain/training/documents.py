"""What a run's folder says of the run besides its numbers: form, derivation, plan, certificate, versions."""

import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from ibtrain.loss import Loss

_PACKAGES = ("imeasure", "torch", "torchvision", "lightning-fabric", "numpy", "sympy")


def documents(loss: Loss) -> dict[str, str]:
    """Return canonical form, derivation, loss plan, certificate and versions as texts by file name.

    Args:
        loss: The run's loss.

    Example:
        >>> from ibtrain import compile
        >>> sorted(documents(compile("min I[X;Z] - beta*I[Y;Z]", latent="noisy")))
        ['canonical.json', 'canonical.txt', 'guarantee.json', 'plan.txt', 'versions.txt']
    """
    form, guarantee = loss.plan.form, loss.guarantee
    return {
        "canonical.txt": f"{form}\n\n{form.derivation}\n",
        "canonical.json": form.to_json() + "\n",
        "plan.txt": f"{loss.plan}\n",
        "versions.txt": _versions(),
        **({} if guarantee is None else {"guarantee.json": guarantee.to_json() + "\n"}),
    }


def _versions() -> str:
    lines = [f"python {platform.python_version()}", f"cuda {torch.version.cuda or 'none'}"]
    for name in _PACKAGES:
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            lines.append(f"{name} unknown")
    return "\n".join(lines) + "\n"
