"""Files that the tests of added galaxies upload."""

from dashboard.components.file_input import Upload
from tests.data.services.stand_in import as_fits, sky_header


def cube(flux, name="one.fits", **cards):
    return Upload(name, as_fits(flux, sky_header(150.0, 2.0, flux.shape[-1], **cards)))


def info_of(session):
    return session.datastore.store.info
