import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from pcvae.errors import SettingsError
from pcvae.loss import LossConfig, Targets, objective
from pcvae.model import Output, Posterior
from pcvae.recipes import RECIPES

TIED = 4
FORMS = {name: recipe.loss for name, recipe in RECIPES.items()}


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    return {
        "image": normal(8, 3, 6, 6),
        "reconstruction": normal(8, 3, 6, 6),
        "mu": normal(8, 5),
        "logvar": normal(8, 5),
        "truth": normal(8, TIED),
        "sigma": normal(8, TIED).exp(),
    }


def score(batch, config=FORMS["paper"]):
    posterior = Posterior(batch["mu"], batch["logvar"])
    targets = Targets(batch["truth"], batch["sigma"])
    return objective(batch["image"], Output(batch["reconstruction"], posterior), targets, config)


@pytest.mark.parametrize("form", FORMS)
def test_a_batch_scores_the_mean_of_its_galaxies(batch, form):
    """No galaxy may be weighed by another's error bars."""
    alone = [
        score({k: v[i : i + 1] for k, v in batch.items()}, FORMS[form]).total for i in range(8)
    ]
    assert_close(score(batch, FORMS[form]).total, torch.stack(alone).mean())


def test_the_paper_weighs_the_terms_as_published(batch):
    terms = score(batch)
    expected = 10 * terms.image + terms.prior + 50 / 512 * terms.physics
    assert_close(terms.total, expected)


def test_the_image_term_sums_over_pixels(batch):
    expected = ((batch["image"] - batch["reconstruction"]) ** 2).sum((1, 2, 3)).mean()
    assert_close(score(batch).image, expected)


@pytest.mark.parametrize("form", FORMS)
def test_free_latents_pay_the_kl_divergence(batch, form):
    free = Normal(batch["mu"][:, TIED:], (batch["logvar"][:, TIED:] / 2).exp())
    expected = kl_divergence(free, Normal(0.0, 1.0)).sum(1).mean()
    assert_close(score(batch, FORMS[form]).prior, expected)


def test_without_physics_every_latent_pays_the_kl_divergence(batch):
    nothing = {"truth": torch.empty(8, 0), "sigma": torch.empty(8, 0)}
    terms = score(batch | nothing)
    every = Normal(batch["mu"], (batch["logvar"] / 2).exp())
    assert_close(terms.prior, kl_divergence(every, Normal(0.0, 1.0)).sum(1).mean())
    assert terms.physics == 0


def test_chi2_is_the_squared_pull_of_each_galaxy(batch):
    pull = (batch["mu"][:, :TIED] - batch["truth"]) / batch["sigma"]
    assert_close(score(batch).physics, (pull**2).sum(1).mean())


def test_physics_vanishes_when_the_means_are_the_measurements(batch):
    mu = torch.cat([batch["truth"], batch["mu"][:, TIED:]], dim=1)
    assert score(batch | {"mu": mu}).physics == 0


def test_the_likelihood_is_the_gaussians(batch):
    """With beta = 0 it is the negative log-likelihood, but for a constant."""
    config = LossConfig(likelihood="beta_nll", beta=0)
    spread = (batch["logvar"][:, :TIED].exp() + batch["sigma"] ** 2).sqrt()
    density = Normal(batch["mu"][:, :TIED], spread).log_prob(batch["truth"])
    constant = torch.log(torch.tensor(2 * torch.pi, dtype=torch.float64)) / 2
    assert_close(score(batch, config).physics, (-density - constant).sum(1).mean())


def test_the_weight_of_the_likelihood_carries_no_gradient(batch):
    config = LossConfig(likelihood="beta_nll", beta=1)
    logvar = batch["logvar"].clone().requires_grad_()
    score(batch | {"logvar": logvar}, config).physics.backward()
    square = (batch["mu"][:, :TIED] - batch["truth"]) ** 2
    variance = batch["logvar"][:, :TIED].exp() + batch["sigma"] ** 2
    slope = variance * (1 / variance - square / variance**2) / 2
    expected = slope * batch["logvar"][:, :TIED].exp() / 8
    assert_close(logvar.grad[:, :TIED], expected)


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_label_drops_out_and_poisons_nothing(batch, form):
    holes = batch["truth"].clone()
    holes[::2, 1] = float("nan")
    errors = torch.where(holes.isnan(), float("nan"), batch["sigma"])
    mu = batch["mu"].clone().requires_grad_()
    terms = score(batch | {"truth": holes, "sigma": errors, "mu": mu}, FORMS[form])
    terms.total.backward()
    assert terms.total.isfinite()
    assert mu.grad.isfinite().all()
    assert (mu.grad[::2, 1] == 0).all()
    assert (mu.grad[1::2, 1] != 0).all()


def test_an_unknown_likelihood_is_refused():
    with pytest.raises(SettingsError, match="'chi2' or 'beta_nll'"):
        LossConfig(likelihood="l1")
