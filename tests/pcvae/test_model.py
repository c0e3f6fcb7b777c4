import dataclasses

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from pcvae.errors import SettingsError, ShapeError
from pcvae.model import ConvVAE, ModelConfig, Photometry, Posterior, permute_latents
from pcvae.recipes import RECIPES

CONFIGS = {name: recipe.model for name, recipe in RECIPES.items()}


@pytest.fixture(params=CONFIGS)
def vae(request):
    torch.manual_seed(0)
    return ConvVAE(CONFIGS[request.param])


def images(vae, count=3):
    return torch.rand(count, vae.config.bands, vae.config.size, vae.config.size)


def inputs(vae, count=3):
    """Images, and cores for a network that has one."""
    core = torch.randn(count, vae.config.bands, vae.config.core, vae.config.core)
    return images(vae, count), core if vae.config.core else None


def kinds(module, kind):
    return [one for one in module.modules() if isinstance(one, kind)]


def test_the_paper_recipe_is_the_published_network():
    """SCIENCE: 3-16-32 channels at 69-35-18 px, linear to 2d; back by bilinear and 3 x 3."""
    vae = ConvVAE(RECIPES["paper"].model)
    assert vae.config.sizes == (69, 35, 18)
    down = [(c.in_channels, c.out_channels, c.kernel_size, c.stride, c.padding)
            for c in kinds(vae.image, nn.Conv2d)]  # fmt: skip
    assert down == [(3, 16, (3, 3), (2, 2), (1, 1)), (16, 32, (3, 3), (2, 2), (1, 1))]
    up = [(c.in_channels, c.out_channels, c.kernel_size, c.stride)
          for c in kinds(vae.decoder, nn.ConvTranspose2d)]  # fmt: skip
    assert up == [(32, 16, (3, 3), (1, 1)), (16, 3, (3, 3), (1, 1))]
    assert [(u.size, u.mode) for u in kinds(vae.decoder, nn.Upsample)] == [
        (35, "bilinear"),
        (69, "bilinear"),
    ]
    dense = [(one.in_features, one.out_features) for one in kinds(vae, nn.Linear)]
    assert dense == [(32 * 18 * 18, 10), (5, 32 * 18 * 18)]
    assert len(kinds(vae.image, nn.BatchNorm2d)) == len(kinds(vae.image, nn.ReLU)) == 2
    assert len(kinds(vae.decoder, nn.BatchNorm2d)) == len(kinds(vae.decoder, nn.ReLU)) == 2
    assert isinstance(vae.decoder[-1], nn.Sigmoid)


def test_shapes_and_range(vae):
    image, core = inputs(vae)
    out, posterior, _ = vae(image, core)
    assert out.shape == image.shape
    assert posterior.mu.shape == posterior.logvar.shape == (3, vae.config.latents)
    assert 0 <= out.min() <= out.max() <= 1


def test_a_batch_equals_its_galaxies_one_by_one(vae):
    vae.eval()
    image, core = inputs(vae)
    one = [slice(i, i + 1) for i in range(3)]
    alone = [vae.encode(image[i], None if core is None else core[i]).mu for i in one]
    assert_close(vae.encode(image, core).mu, torch.cat(alone), rtol=1e-4, atol=1e-5)


def test_every_weight_gets_a_gradient(vae):
    out, posterior, error = vae(*inputs(vae))
    told = 0 if error is None else error.sum()
    (out.sum() + posterior.logvar.sum() + told).backward()
    assert all(one.grad is not None for one in vae.parameters())


def test_evaluation_draws_nothing_and_training_draws(vae):
    given = inputs(vae)
    vae.eval()
    assert_close(vae(*given)[0], vae(*given)[0])
    vae.train()
    assert not torch.equal(vae(*given)[0], vae(*given)[0])


def test_only_the_last_latents_are_drawn():
    posterior = Posterior(torch.zeros(1000, 4), torch.zeros(1000, 4))
    drawn = posterior.sample(last=1)
    assert (drawn[:, :3] == 0).all()
    assert drawn[:, 3].std() == pytest.approx(1, abs=0.1)


def test_a_sample_has_the_posteriors_moments():
    mu, logvar = torch.full((20_000, 2), 3.0), torch.full((20_000, 2), -2.0)
    drawn = Posterior(mu, logvar).sample()
    assert drawn.mean().item() == pytest.approx(3, abs=0.01)
    assert drawn.std().item() == pytest.approx(torch.tensor(-1.0).exp().item(), abs=0.01)


@pytest.mark.parametrize("size", [16, 33, 50, 69])
def test_any_size_comes_back(size):
    vae = ConvVAE(ModelConfig(bands=4, size=size, widths=(4, 8, 8), hidden=16))
    assert vae(torch.rand(2, 4, size, size))[0].shape == (2, 4, size, size)


def test_images_of_another_shape_are_refused(vae):
    with pytest.raises(ShapeError, match="Stretch first"):
        vae.encode(torch.rand(2, 3, 10, 10))


def test_the_encoder_is_given_the_light_in_circles():
    """Light beyond the smallest circle changes the magnitudes of the larger ones alone."""
    config = ModelConfig(size=20, apertures=(3, 9), linear=False)
    flux = torch.zeros(2, 3, 20, 20)
    flux[1, :, 10, 16] = 1.0
    circles = Photometry(config).circles
    assert circles.sum(0).tolist() == [32, 256]
    assert (flux.flatten(2) @ circles)[1, 0].tolist() == [0, 1]


@pytest.mark.parametrize("linear", [True, False])
def test_magnitudes_undo_the_stretch_of_fluxes_and_leave_display_values(linear):
    photometry = Photometry(ModelConfig(size=8, apertures=(20,), linear=linear))
    image = torch.full((1, 3, 8, 8), 0.6)
    expected = torch.asinh(torch.tensor(64 * (0.75 if linear else 0.6)))
    assert_close(photometry.measured(image), expected.expand(1, 3))


def test_colours_are_differences_of_magnitudes():
    """Of neighbouring bands, then of neighbouring circles."""
    photometry = Photometry(ModelConfig(bands=2, size=8, apertures=(2, 3, 20), colours=True))
    found = photometry.measured(torch.rand(1, 2, 8, 8))[0]
    magnitudes, bands, radii = found.split([6, 3, 4])
    assert_close(bands, magnitudes[3:] - magnitudes[:3])
    assert_close(radii, magnitudes.view(2, 3).diff(dim=1).flatten())


@pytest.mark.parametrize("dropped", ["dropout", "dimming"])
def test_dropout_is_for_training_alone(dropped):
    vae = ConvVAE(ModelConfig(size=16, hidden=8, apertures=(3, 7), **{dropped: 0.5}))
    image = images(vae)
    assert not torch.equal(vae.encode(image).mu, vae.encode(image).mu)
    vae.eval()
    assert_close(vae.encode(image).mu, vae.encode(image).mu)


def test_a_size_that_doubling_misses_is_refused():
    with pytest.raises(SettingsError, match="multiple of 4, found 69"):
        ModelConfig(transposed=True)


def test_a_decoder_that_doubles_begins_with_a_dark_sky():
    vae = ConvVAE(ModelConfig(size=16, widths=(4, 8), transposed=True)).eval()
    assert vae.decode(torch.randn(4, 5)).mean() < 0.1


CORED = ModelConfig(size=16, latents=6, tied=4, sampled=2, hidden=8, apertures=(3,), core=12)


def test_tied_latents_come_of_the_core_alone():
    vae = ConvVAE(CORED).eval()
    image, core = inputs(vae)
    before, after = vae.encode(image, core).mu, vae.encode(torch.zeros_like(image), core).mu
    assert_close(after[:, :4], before[:, :4])
    assert not torch.allclose(after[:, 4:], before[:, 4:])


def test_reconstruction_trains_neither_the_core_nor_the_tied_latents():
    vae = ConvVAE(CORED)
    vae(*inputs(vae))[0].sum().backward()
    gradients = {
        name: weight.grad is not None and bool(weight.grad.any())
        for name, weight in vae.named_parameters()
    }
    learning = {name for name, learns in gradients.items() if learns}
    assert not any(name.startswith(("core.", "tied_head.")) for name in learning)
    assert {"image.0.0.weight", "head.weight"} <= learning


def test_a_half_turn_of_the_core_changes_no_label():
    vae = ConvVAE(CORED).eval()
    image, core = inputs(vae)
    turned = vae.encode(image, core.flip((2, 3))).mu
    assert_close(turned[:, :4], vae.encode(image, core).mu[:, :4], rtol=1e-4, atol=1e-5)


def test_every_latent_may_be_tied_or_free():
    for tied in (0, 6):
        vae = ConvVAE(dataclasses.replace(CORED, tied=tied, sampled=None))
        assert vae.encode(*inputs(vae)).mu.shape == (3, 6)


def test_a_core_of_another_shape_is_refused():
    vae = ConvVAE(CORED)
    image, core = inputs(vae)
    with pytest.raises(ShapeError, match=r"cores of shape \(B, 3, 12, 12\), found none"):
        vae.encode(image)
    with pytest.raises(ShapeError, match=r"found \(3, 3, 12, 11\)"):
        vae.encode(image, core[..., 1:])
    with pytest.raises(SettingsError, match="expected a core of 0 or more pixels"):
        ModelConfig(core=-4)
    with pytest.raises(SettingsError, match="tied latents of a core"):
        ModelConfig(tied=3)


@pytest.mark.parametrize("config", [CORED, ModelConfig(size=16, latents=6, hidden=8)])
def test_latents_in_another_order_are_the_same_network(config):
    vae = ConvVAE(config).eval()
    given, order = inputs(vae), torch.tensor([0, 1, 2, 3, 5, 4])
    before = vae(*given)
    permute_latents(vae, order)
    after = vae(*given)
    assert_close(after.posterior.mu, before.posterior.mu[:, order])
    assert_close(after.posterior.logvar, before.posterior.logvar[:, order])
    assert_close(after.image, before.image)
