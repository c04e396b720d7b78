"""Claim C2: the optimal decoder of a categorical latent, and the gradient of the decoder uncertainty.

Both are computed again here, on the encoder of a trained run from its checkpoint, or, where no run with a categorical
latent is there, on a random encoder, and the finding says which. Source: Kirsch, Lyle and Gal, "Unpacking Information
Bottlenecks" (2020), observation 4 and appendix A.3.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from ibtrain import functional
from ibtrain.claims.claim import Claim, Finding, Part, judged
from ibtrain.claims.evidence import Evidence
from ibtrain.config import Config
from ibtrain.errors import ConfigError
from ibtrain.records import run_name
from ibtrain.training import build_network, load_data
from ibtrain.training.progress import load_checkpoint

EQUAL, SAME = 1e-6, 1e-5
"""Nats between the optimal decoder's cross-entropy and H[Y|Z]; relative difference of the two gradients."""

_SAMPLES = 4096

C2: Claim = Claim(
    "C2",
    "optimal decoder",
    "For a categorical Z the optimal decoder's cross-entropy equals the decoder uncertainty H[Y|Z], whose gradient has "
    "a closed form.",
    "The optimal decoder gives equality to 1e-6 nats; automatic differentiation of H[Y|Z] equals the gradient of "
    "appendix A.3 to a relative 1e-5.",
    ("fig3",),
)


def optimal_decoder(found: Evidence, data_root: str | Path = "data") -> Finding:
    """Test C2, in double precision, on the first run with a categorical latent whose checkpoint is there.

    Args:
        found: The runs.
        data_root: Folder of the data sets that do not ship with scikit-learn.
    """
    reason = "no run with a categorical latent and a checkpoint was given"
    for record in found.records:
        config, folder = record.config, record.folder
        if config is None or folder is None or config.bottleneck.kind != "categorical":
            continue
        try:
            encode, parameters, targets = _trained(config, folder, data_root)
        except ConfigError as error:
            reason = str(error)
            continue
        place = f"on the run {run_name(record.rows[0])}, {len(targets):,} training samples"
        return Finding(C2, compared(encode, parameters, targets, place=place, seeds=1))
    encode, parameters, targets = _random()
    place = f"on a random encoder, {len(targets):,} samples ({reason})"
    return Finding(C2, compared(encode, parameters, targets, place=place))


def _trained(config: Config, folder: Path, root: str | Path) -> tuple[Callable[[], Tensor], Sequence[Tensor], Tensor]:
    state = load_checkpoint(folder, digest=config.digest)
    if state is None:
        raise ConfigError(f"the run {config.digest} has no checkpoint")
    data = load_data(config.data, root=root)
    network = build_network(config, data)
    weights = {name.replace("_orig_mod.", ""): value for name, value in state["step"].items()}
    own = {name.removeprefix("network."): value for name, value in weights.items() if name.startswith("network.")}
    try:
        network.load_state_dict(own)
    except RuntimeError as error:
        raise ConfigError(f"the checkpoint of the run {config.digest} does not fit: {error}") from None
    network = network.double().eval()
    inputs, targets = data.prepare(data.train_inputs[:_SAMPLES]).double(), data.train_targets[:_SAMPLES]

    def encode() -> Tensor:
        log_probabilities: Tensor = network(inputs)[0].log_probabilities
        return log_probabilities

    used = torch.autograd.grad(encode().sum(), list(network.parameters()), allow_unused=True)
    parameters = [one for one, gradient in zip(network.parameters(), used, strict=True) if gradient is not None]
    return encode, parameters, targets


def _random() -> tuple[Callable[[], Tensor], Sequence[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(1000, 20, generator=generator, dtype=torch.float64)
    targets = torch.randint(10, (1000,), generator=generator)
    weight = nn.Parameter(torch.randn(20, 100, generator=generator, dtype=torch.float64))
    return lambda: (inputs @ weight).log_softmax(dim=-1), [weight], targets


def compared(
    encode: Callable[[], Tensor], parameters: Sequence[Tensor], targets: Tensor, *, place: str, seeds: int = 0
) -> tuple[Part, Part]:
    """Compare the optimal decoder with H[Y|Z], and both gradients.

    Args:
        encode: Returns ln p(z|x), B x K, as a function of the parameters.
        parameters: What gradients are taken of.
        targets: Classes, B.
        place: Where it was measured, in words.
        seeds: Number of trained runs.

    Returns:
        The difference in nats, and the relative difference of the gradients.
    """
    classes = int(targets.max()) + 1
    log_probabilities = encode()
    uncertainty = functional.decoder_uncertainty(log_probabilities, targets, classes)
    decoder = _log_posterior(log_probabilities.detach(), targets, classes)
    logits = decoder.T[:, None, :]
    cross_entropy = functional.decoder_cross_entropy(
        logits, targets, log_weights=log_probabilities.detach().T.contiguous()
    )
    difference = abs(cross_entropy.item() - uncertainty.item())
    automatic = torch.autograd.grad(uncertainty, parameters, retain_graph=True)
    surprise = -decoder[targets].clamp(min=torch.finfo(decoder.dtype).min)
    weighted = log_probabilities.detach().exp() * surprise
    closed = torch.autograd.grad((weighted * log_probabilities).sum(dim=1).mean(), parameters)
    error = _norm([a - b for a, b in zip(automatic, closed, strict=True)]) / max(_norm(closed), 1e-300)
    fields = {"spread": place, "seeds": seeds, "runs": seeds}
    return (
        judged(
            "|cross-entropy of the optimal decoder - H[Y|Z]|",
            difference,
            unit="nats",
            holds=difference <= EQUAL,
            needed=f"at most {EQUAL:g} nats",
            note=f"they differ by {difference:.3g} nats {place}",
            **fields,
        ),
        judged(
            "relative difference of the gradient of H[Y|Z] from appendix A.3",
            error,
            holds=error <= SAME,
            needed=f"at most {SAME:g}",
            note=f"the gradients differ by a relative {error:.3g} {place}",
            **fields,
        ),
    )


def _log_posterior(log_probabilities: Tensor, targets: Tensor, classes: int) -> Tensor:
    """Return ln p(y|z), C x K; minus infinity where the class never meets the value."""
    members = nn.functional.one_hot(targets, classes).to(log_probabilities.dtype)
    joint = members.T @ log_probabilities.exp()
    return joint.log() - joint.sum(dim=0).log()


def _norm(tensors: Sequence[Tensor]) -> float:
    return math.sqrt(sum(float(one.square().sum()) for one in tensors))
