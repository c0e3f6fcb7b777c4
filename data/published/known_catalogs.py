"""The published catalogues that ``data.catalogs`` knows: a file and an entry each."""

from data.published.catalog_definition import KnownCatalog
from data.published.gama import GAMA
from data.published.green_peas import GREEN_PEAS
from data.published.red_spirals import RED_SPIRALS
from data.published.zou import ZOU_2022

__all__ = ["CATALOGS"]

# A galaxy in several is kept from the first of them.
CATALOGS: tuple[KnownCatalog, ...] = (RED_SPIRALS, GREEN_PEAS, GAMA, ZOU_2022)
