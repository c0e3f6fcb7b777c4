"""The card of an external galaxy: its images, facts and inferred properties."""

from collections.abc import Sequence
from html import escape

import numpy as np

from dashboard.backend.datastore import DataStore
from dashboard.backend.quantities import Quantity, latents_of, pretty_unit
from dashboard.backend.stamp_images import (
    bar_html,
    compass_svg,
    data_uri,
    in_band,
)
from dashboard.galaxy.external_galaxy import Encoding, ExternalGalaxy
from dashboard.galaxy.property_table import Interval, Property
from dashboard.galaxy.sky_links import Link, links_html
from pcvae.dataset import ELLIPTICITY
from pcvae.labels import LABELS

__all__ = ["external_facts_html", "external_pictures_html", "external_properties"]


def external_properties(datastore: DataStore, model: str, seen: Encoding) -> list[Property]:
    """The inferred properties of an external galaxy, on the distributions of the sample."""
    latents = {quantity.column: quantity for quantity in latents_of(datastore.store, model)}
    for name in ELLIPTICITY:
        latents.pop(name, None)
    first = sorted(latents.values(), key=lambda latent: not latent.cyclic)
    tied = {label.name for label in LABELS}
    return [
        _property(datastore, model, seen, latent)._replace(free=latent.column not in tied)
        for latent in first
    ]


def _property(datastore: DataStore, model: str, seen: Encoding, quantity: Quantity) -> Property:
    counts, limits = datastore.columns.histogram(model, quantity)
    value, sigma = (float(seen.latents[f"{quantity.column}{end}"][0]) for end in ("", "_sigma"))
    unit = pretty_unit(quantity.unit)
    return Property(
        quantity.title, unit, None, Interval(value, sigma), counts, limits, quantity.cyclic
    )


DUST = (
    "The model learnt from fluxes corrected for the Milky Way's dust; these are taken as they "
    "are: E(B-V) of 0.1 mag moves redshift by about 0.03. Give E(B-V) beside the upload, or as "
    "EBV in the FITS header."
)


def external_facts_html(
    external: ExternalGalaxy, links: Sequence[Link], seen: Encoding | None
) -> str:
    """Its name, its position, how it was processed, and what of it may mislead."""
    facts = [
        '<span class="population"><i style="background:var(--accent)"></i>Your galaxy</span>',
        "<span>not in the store</span>",
    ]
    if np.isfinite([external.ra, external.dec]).all():
        place = f"RA {external.ra:.5f}° Dec {external.dec:+.5f}°"
        facts.append(f"<span>{place}</span>".replace("-", "\N{MINUS SIGN}"))
    notes = [*external.notes, *([DUST] if seen is not None and seen.without_dust else [])]
    return (
        f'<h2>{escape(external.name)}</h2><div class="facts">{"".join(facts)}</div>'
        f"{links_html(links)}"
        f'<p class="said">{escape(" ".join(notes))}</p>'
    )


def external_pictures_html(
    datastore: DataStore,
    external: ExternalGalaxy,
    seen: Encoding,
    *,
    dark: bool,
    channel: int | None = None,
) -> str:
    """Its image, reconstruction and residual side by side; of one channel, or in colour."""
    info, (rebuilt, missed) = datastore.store.info, seen.pictures(dark=dark, channel=channel)
    marks = bar_html(info.pixel_scale, info.size) + compass_svg(external.north_angle)
    return (
        '<div class="pictures">'
        + "".join(
            f'<figure><div class="frame"><img src="{data_uri(picture)}" alt="{caption}">{over}'
            f"</div><figcaption><span>{caption}</span>{note}</figcaption></figure>"
            for picture, over, caption, note in (
                (in_band(seen.stamp, channel), marks, "Image", ""),
                (rebuilt, "", "Reconstruction", ""),
                (missed.picture, "", "Residual", f"<span>± {missed.limit:.2f}</span>"),
            )
        )
        + "</div>"
    )
