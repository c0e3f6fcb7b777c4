"""Physics-informed variational autoencoders for galaxy images.

What a notebook needs is imported when it is first used::

    from pcvae import encode_images, read_sample, read_store, Neighbours
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pcvae.anomaly import anomaly_score
    from pcvae.boundaries import boundary_grid
    from pcvae.cutouts import read_sample
    from pcvae.encode import Codec, encode_images
    from pcvae.journal import Journal
    from pcvae.lookalikes import seed_density, shared_neighbours
    from pcvae.neighbours import Neighbours
    from pcvae.store import read_store

__version__ = "0.1.0"

__all__ = [
    "Codec",
    "Journal",
    "Neighbours",
    "anomaly_score",
    "boundary_grid",
    "encode_images",
    "read_sample",
    "read_store",
    "seed_density",
    "shared_neighbours",
]

_MODULES = {
    "Codec": "encode",
    "Journal": "journal",
    "Neighbours": "neighbours",
    "anomaly_score": "anomaly",
    "boundary_grid": "boundaries",
    "encode_images": "encode",
    "read_sample": "cutouts",
    "read_store": "store",
    "seed_density": "lookalikes",
    "shared_neighbours": "lookalikes",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module 'pcvae' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"pcvae.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
