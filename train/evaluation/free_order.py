"""The order of the free latents: those that change the picture most come first."""

from typing import TYPE_CHECKING

import torch

from pcvae.model import permute_latents

if TYPE_CHECKING:
    from pcvae.model import ConvVAE
    from pcvae.trainer import Galaxies

__all__ = ["order_free", "picture_changes"]

GALAXIES = 512  # that the latents are swapped between


@torch.no_grad()
def picture_changes(model: "ConvVAE", galaxies: "Galaxies") -> torch.Tensor:
    r"""The mean squared change of the decoded image by each latent, (D,).

    .. math::
        \langle (\hat x' - \hat x)^2 \rangle

    where the latent is swapped with the next galaxy's in :math:`\hat x'`.
    """
    model.cpu().eval()
    some = galaxies.at(torch.arange(min(GALAXIES, len(galaxies.image))), torch.device("cpu"))
    mu = model.encode(some.image, some.core).mu
    before = model.decode(mu)
    changes = []
    for axis in range(mu.shape[1]):
        swapped = mu.clone()
        swapped[:, axis] = swapped[:, axis].roll(1)
        changes.append((model.decode(swapped) - before).square().mean())
    return torch.stack(changes)


def order_free(model: "ConvVAE", galaxies: "Galaxies", tied: int) -> None:
    """Sort the free latents of a network in place, the most visible one first.

    Args:
        model: The network with its weights.
        galaxies: On which the pictures are compared, such as the validation galaxies.
        tied: How many latents, from the first, keep their place.
    """
    free = picture_changes(model, galaxies)[tied:].argsort(descending=True)
    permute_latents(model, torch.cat([torch.arange(tied), tied + free]))
