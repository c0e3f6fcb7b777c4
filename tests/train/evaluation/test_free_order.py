import torch

from pcvae.loss import Targets
from pcvae.model import ConvVAE, ModelConfig
from pcvae.trainer import Galaxies
from train.evaluation.free_order import order_free, picture_changes


def test_the_latent_that_changes_the_picture_most_comes_first():
    torch.manual_seed(0)
    vae = ConvVAE(ModelConfig(size=16, latents=6, hidden=8)).eval()
    galaxies = Galaxies(torch.rand(40, 3, 16, 16), Targets(*torch.zeros(2, 40, 2)))
    with torch.no_grad():
        vae.decoder[0].weight[:, 4] *= 10
    assert picture_changes(vae, galaxies)[2:].argmax() == 2
    tied = picture_changes(vae, galaxies)[:2]
    order_free(vae, galaxies, tied=2)
    changes = picture_changes(vae, galaxies)
    assert changes[2:].tolist() == sorted(changes[2:].tolist(), reverse=True)
    torch.testing.assert_close(changes[:2], tied)
