"""Surrogates from moments of Z: among all laws of a given covariance the Gaussian has the largest entropy.

The noise of the latent is known, so its variance enters analytically and the noiseless latents are what is averaged.
"""

from torch import Tensor

from ibtrain.functional import (
    conditional_log_determinant,
    conditional_log_variance,
    log_determinant,
    log_variance,
    squared_norm_bound,
)
from ibtrain.surrogates.entry import Batch, Surrogate

_REAL = ("noisy", "additive", "gaussian", "noisy dropout")
_WITH_CENTRES = (*_REAL, "dropout")
_NOISE = "noise = centres.new_zeros(centres.shape[1:]) + noise_variance  # B x K\n"
_MEMBERS = (
    "members = torch.nn.functional.one_hot(target, logits.shape[-1]).to(centres)  # B x C\n"
    "counts = members.sum(0)\n"
    "shares = members / counts.clamp(min=1)\n" + _NOISE
)
_SMALLEST = "variance = variance + torch.finfo(variance.dtype).tiny  # dropout alone can leave a dimension constant\n"
_FLOOR = (
    "floor = 1e-12 * covariance.diagonal(dim1=-2, dim2=-1).mean(-1).detach()  # dropout alone can leave it singular\n"
    "floor = floor.clamp(min=torch.finfo(floor.dtype).tiny)[..., None, None]\n"
    "covariance = covariance + floor * torch.eye(centres.shape[-1]).to(covariance)\n"
)
_VARIANCES = (
    _MEMBERS + "centred = centres - members @ (shares.T @ centres.mean(0))\n"
    "variance = shares.T @ (centred.square().mean(0) + noise)  # C x K\n"
    "variance = torch.where(counts[:, None] > 0, variance, 1.0)\n"
)
_CONDITIONAL_LOG_VARIANCE = "value = (counts * 0.5 * (variance.log() + LOG_2_PI_E).sum(1)).sum() / counts.sum()"
_VARIANCE = _NOISE + "variance = (centres - centres.mean((0, 1))).square().mean((0, 1)) + noise.mean(0)\n"
_LOG_VARIANCE = "value = 0.5 * (variance.log() + LOG_2_PI_E).sum()"
_COVARIANCES = (
    _MEMBERS + "shares, wide = members.double() / counts.clamp(min=1), centres.double()\n"
    "centred = wide - members.double() @ (shares.T @ wide.mean(0))\n"
    "covariance = torch.einsum('sbi,bc,sbj->cij', centred, shares, centred) / len(centres)\n"
    "covariance = covariance + torch.diag_embed(shares.T @ noise.double())\n"
    "identity = torch.eye(centres.shape[-1]).to(covariance)\n"
    "covariance = torch.where(counts[:, None, None] > 0, covariance, identity)\n"
)
_CONDITIONAL_LOG_DETERMINANT = (
    "half = torch.linalg.cholesky(covariance).diagonal(dim1=1, dim2=2).log().sum(1)\n"
    "half = half + centres.shape[-1] / 2 * LOG_2_PI_E\n"
    "value = ((counts * half).sum() / counts.sum()).to(centres.dtype)"
)
_COVARIANCE = (
    _NOISE + "flat = centres.flatten(0, 1).double()\n"
    "flat = flat - flat.mean(0)\n"
    "covariance = flat.T @ flat / len(flat) + noise.mean(0).double().diag()\n"
)
_LOG_DETERMINANT = (
    "half = torch.linalg.cholesky(covariance).diagonal().log().sum()\n"
    "value = (half + centres.shape[-1] / 2 * LOG_2_PI_E).to(centres.dtype)"
)


def _conditional_log_determinant(batch: Batch) -> Tensor:
    latent = batch.latent
    return conditional_log_determinant(
        latent.centres, batch.target, batch.classes, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


def _conditional_log_variance(batch: Batch) -> Tensor:
    latent = batch.latent
    return conditional_log_variance(
        latent.centres, batch.target, batch.classes, noise_variance=latent.noise_variance, reduce=batch.reduce
    )


def _log_determinant(batch: Batch) -> Tensor:
    latent = batch.latent
    return log_determinant(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _log_variance(batch: Batch) -> Tensor:
    latent = batch.latent
    return log_variance(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


def _squared_norm(batch: Batch) -> Tensor:
    latent = batch.latent
    return squared_norm_bound(latent.centres, noise_variance=latent.noise_variance, reduce=batch.reduce)


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
        code={
            "": _VARIANCES + _CONDITIONAL_LOG_VARIANCE,
            "dropout": _VARIANCES + _SMALLEST + _CONDITIONAL_LOG_VARIANCE,
        },
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
        code={
            "": _COVARIANCES + _CONDITIONAL_LOG_DETERMINANT,
            "dropout": _COVARIANCES + _FLOOR + _CONDITIONAL_LOG_DETERMINANT,
        },
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
        code={"": _VARIANCE + _LOG_VARIANCE, "dropout": _VARIANCE + _SMALLEST + _LOG_VARIANCE},
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
        code={"": _COVARIANCE + _LOG_DETERMINANT, "dropout": _COVARIANCE + _FLOOR + _LOG_DETERMINANT},
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
