"""Surrogates from moments of Z: among all laws of a given covariance the Gaussian has the largest entropy.

The noise of the latent is known, so its variance enters analytically and the noiseless latents are what is averaged.
"""

from torch import Tensor

from ibtrain import functional
from ibtrain.surrogates.entry import Batch, Surrogate

_REAL = ("noisy", "additive", "gaussian", "noisy dropout")
_WITH_CENTRES = (*_REAL, "dropout")
_MEMBERS = (
    "members = torch.nn.functional.one_hot(target, logits.shape[-1]).to(centres)  # B x C\n"
    "counts = members.sum(0)\n"
    "shares = members / counts.clamp(min=1)\n"
    "noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
)


def _conditional_log_determinant(batch: Batch) -> Tensor:
    latent = batch.latent
    return functional.conditional_log_determinant(
        latent.centres, batch.target, batch.classes, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


def _conditional_log_variance(batch: Batch) -> Tensor:
    latent = batch.latent
    return functional.conditional_log_variance(
        latent.centres, batch.target, batch.classes, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


def _log_determinant(batch: Batch) -> Tensor:
    latent = batch.latent
    return functional.log_determinant(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _log_variance(batch: Batch) -> Tensor:
    latent = batch.latent
    return functional.log_variance(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _squared_norm(batch: Batch) -> Tensor:
    latent = batch.latent
    return functional.squared_norm_bound(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


MOMENTS = (
    Surrogate(
        name="LogVar[Z|Y]",
        label="log Var[Z|Y]",
        quantity="H[Z|Y]",
        side="upper",
        latents=_REAL,
        computable=_WITH_CENTRES,
        needs=("centres", "target"),
        formula="E_y sum_k 1/2 ln(2 pi e Var[Z_k|y])",
        latex=r"\mathbb{E}_y \sum_k \tfrac12 \ln(2 \pi e \operatorname{Var}[Z_k \mid y])",
        reference="Kirsch, Lyle and Gal (2020), theorem 2",
        evaluate=_conditional_log_variance,
        orders=("LogVar[Z|Y] >= LogDet[Z|Y]", "LogVar[Z|Y] <= LogVar[Z]"),
        replaces=("H[Z|Y]", "I[X;Z|Y]"),
        code=_MEMBERS + "centred = centres - members @ (shares.T @ centres.mean(0))\n"
        "variance = shares.T @ (centred.square().mean(0) + noise)  # C x K\n"
        "variance = torch.where(counts[:, None] > 0, variance, 1.0)\n"
        "value = (counts * 0.5 * (variance.log() + LOG_2_PI_E).sum(1)).sum() / counts.sum()",
    ),
    Surrogate(
        name="LogDet[Z|Y]",
        label="log det Cov[Z|Y]",
        quantity="H[Z|Y]",
        side="upper",
        latents=_REAL,
        computable=_WITH_CENTRES,
        needs=("centres", "target"),
        formula="E_y 1/2 ln det(2 pi e Cov[Z|y])",
        latex=r"\mathbb{E}_y \tfrac12 \ln \det(2 \pi e \operatorname{Cov}[Z \mid y])",
        reference="Kirsch, Lyle and Gal (2020), observation 7",
        evaluate=_conditional_log_determinant,
        orders=("LogDet[Z|Y] <= LogDet[Z]",),
        is_default=False,
        replaces=("H[Z|Y]", "I[X;Z|Y]"),
        code=_MEMBERS + "centred = (centres - members @ (shares.T @ centres.mean(0))).double()\n"
        "shares = shares.double()\n"
        "covariance = torch.einsum('sbi,bc,sbj->cij', centred, shares, centred) / len(centres)\n"
        "covariance = covariance + torch.diag_embed(shares.T @ noise.double())\n"
        "identity = torch.eye(centres.shape[-1]).to(covariance)\n"
        "covariance = torch.where(counts[:, None, None] > 0, covariance, identity)\n"
        "half = torch.linalg.cholesky(covariance).diagonal(dim1=1, dim2=2).log().sum(1)\n"
        "half = half + centres.shape[-1] / 2 * LOG_2_PI_E\n"
        "value = ((counts * half).sum() / counts.sum()).to(centres.dtype)",
    ),
    Surrogate(
        name="LogVar[Z]",
        label="log Var[Z]",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        computable=_WITH_CENTRES,
        needs=("centres",),
        formula="sum_k 1/2 ln(2 pi e Var[Z_k])",
        latex=r"\sum_k \tfrac12 \ln(2 \pi e \operatorname{Var}[Z_k])",
        reference="Kirsch, Lyle and Gal (2020), theorem 2 with a single class",
        evaluate=_log_variance,
        orders=("LogVar[Z] >= LogDet[Z]",),
        replaces=("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Z|Y]"),
        code="noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
        "variance = (centres - centres.mean((0, 1))).square().mean((0, 1)) + noise.mean(0)\n"
        "value = 0.5 * (variance.log() + LOG_2_PI_E).sum()",
    ),
    Surrogate(
        name="LogDet[Z]",
        label="log det Cov[Z]",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        computable=_WITH_CENTRES,
        needs=("centres",),
        formula="1/2 ln det(2 pi e Cov[Z])",
        latex=r"\tfrac12 \ln \det(2 \pi e \operatorname{Cov}[Z])",
        reference="Cover and Thomas, Elements of Information Theory (2006), theorem 8.6.5",
        evaluate=_log_determinant,
        is_default=False,
        replaces=("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Z|Y]"),
        code="noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
        "flat = (centres - centres.mean((0, 1))).flatten(0, 1).double()\n"
        "covariance = flat.T @ flat / len(flat) + noise.mean(0).double().diag()\n"
        "half = torch.linalg.cholesky(covariance).diagonal().log().sum()\n"
        "value = (half + centres.shape[-1] / 2 * LOG_2_PI_E).to(centres.dtype)",
    ),
    Surrogate(
        name="SquaredNorm[Z]",
        label="E||Z||²",
        quantity="H[Z]",
        side="upper",
        latents=_REAL,
        computable=_WITH_CENTRES,
        needs=("centres",),
        formula="E||Z||^2 + K/2 ln(pi)",
        latex=r"\mathbb{E}\lVert Z \rVert^2 + \tfrac{K}{2} \ln \pi",
        reference="Kirsch, Lyle and Gal (2020), section 6.2; cross-entropy of Z to N(0, I/2)",
        evaluate=_squared_norm,
        orders=("SquaredNorm[Z] >= LogVar[Z]",),
        replaces=("H[Z]", "H[Z|Y]", "I[X;Z]", "I[X;Z|Y]"),
        code="noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
        "norm = (centres.square().mean(0) + noise).sum(1).mean()\n"
        "value = norm + centres.shape[-1] / 2 * LOG_PI",
    ),
)
"""Log-variances, log-determinants and the squared norm."""
