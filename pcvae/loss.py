"""The training objective: reconstruction, prior and physics terms.

Shapes are written with B galaxies, C bands, S x S pixels, D latents, K of them tied to labels.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from pcvae.errors import SettingsError
from pcvae.model import Output

__all__ = ["LossConfig", "LossTerms", "Targets", "objective"]


class Targets(NamedTuple):
    """What the tied latents should be, each (B, K); NaN where a label is unknown.

    The tied latents are the first K; with K = 0 every latent is free.
    """

    truth: Tensor
    sigma: Tensor


@dataclass(frozen=True, slots=True)
class LossConfig:
    r"""The weights of the terms, and the form of the physics term.

    The published script has 10, 1 and 50, but sums the first two terms over a batch of 128 and
    averages the third over batch and 4 labels; here each is a mean over galaxies, so that the
    balance stays and no longer hangs on the size of a batch.

    Args:
        image: The weight :math:`\beta_0` of the squared residuals, summed over pixels.
        prior: The weight of the Kullback-Leibler divergence of the free latents.
        physics: The weight :math:`\beta_1` of the labels.
        magnitudes: The weight of the squared errors of the decoded magnitudes, in units of their
            scatter, where a network decodes them.
        likelihood: ``chi2`` (Eq. 2) or ``beta_nll`` (the encoder's own variance counts).
        beta: The exponent of ``beta_nll``.
    """

    image: float = 10.0
    prior: float = 1.0
    physics: float = 50 / (128 * 4)
    magnitudes: float = 0.0
    likelihood: str = "chi2"
    beta: float = 0.5

    def __post_init__(self) -> None:
        if self.likelihood not in ("chi2", "beta_nll"):
            msg = f"expected likelihood 'chi2' or 'beta_nll', found {self.likelihood!r}"
            raise SettingsError(msg)


class LossTerms(NamedTuple):
    """The objective and its unweighted terms, each a mean over galaxies."""

    total: Tensor
    image: Tensor
    prior: Tensor
    physics: Tensor
    magnitudes: Tensor


def objective(image: Tensor, output: Output, targets: Targets, config: LossConfig) -> LossTerms:
    r"""Score a batch.

    .. math::
        \mathcal{L} = \beta_0 \lVert x - \hat{x} \rVert^2
            + \mathrm{KL}\left[ q(z_{>K} \mid x) \parallel \mathcal{N}(0, I) \right]
            + \beta_1 \sum_{k \le K} \left( \frac{p_k - \mu_k}{\sigma_k} \right)^2

    and, where a network decodes magnitudes, their squared errors.
    A label that is NaN drops out of the sum. The baseline without physics has K = 0, and so the
    divergence on all latents.

    Reference:
        Gagliano & Villar (2023), Eq. 2, https://arxiv.org/abs/2312.16687

    Args:
        image: The observed images :math:`x`, (B, C, S, S).
        output: The decoded images :math:`\hat{x}`, and the encoder's :math:`\mu` and
            :math:`\log \sigma^2`, each (B, D).
        targets: The labels :math:`p` and their errors, each (B, K).
        config: The weights, and the form of the third term.
    """
    tied = targets.truth.shape[1]
    posterior = output.posterior
    image_term = (output.image - image).square().flatten(1).sum(1).mean()
    prior_term = _divergence(posterior.mu[:, tied:], posterior.logvar[:, tied:])
    form = _chi2 if config.likelihood == "chi2" else _beta_nll
    known = torch.isfinite(targets.truth)
    truth = torch.where(known, targets.truth, 0.0)
    sigma = torch.where(known, targets.sigma, 1.0)
    each = form(posterior.mu[:, :tied] - truth, sigma, posterior.logvar[:, :tied], config.beta)
    physics_term = torch.where(known, each, 0.0).sum(1).mean()
    total = config.image * image_term + config.prior * prior_term + config.physics * physics_term
    if output.magnitude_error is None:
        return LossTerms(total, image_term, prior_term, physics_term, total.new_zeros(()))
    magnitudes = output.magnitude_error.mean()
    total = total + config.magnitudes * magnitudes
    return LossTerms(total, image_term, prior_term, physics_term, magnitudes)


def _divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    r"""The mean of :math:`\frac{1}{2} \sum (\mu^2 + \sigma^2 - \log \sigma^2 - 1)`."""
    return (mu.square() + logvar.exp() - 1 - logvar).sum(1).mean() / 2


def _chi2(residual: Tensor, sigma: Tensor, _logvar: Tensor, _beta: float) -> Tensor:
    return (residual / sigma).square()


def _beta_nll(residual: Tensor, sigma: Tensor, logvar: Tensor, beta: float) -> Tensor:
    r"""A Gaussian's negative log-likelihood, weighed by its own variance to the power beta.

    .. math::
        \lfloor v^\beta \rfloor \, \frac{1}{2} \left( \frac{(p - \mu)^2}{v} + \log v \right),
        \qquad v = \sigma_\mathrm{encoder}^2 + \sigma_\mathrm{label}^2

    where the weight carries no gradient, so that well-fitted galaxies do not drown the rest.

    Reference:
        Seitzer et al. (2022), Eq. 5, https://arxiv.org/abs/2203.09168
    """
    variance = logvar.exp() + sigma.square()
    return variance.detach() ** beta * (residual.square() / variance + variance.log()) / 2
