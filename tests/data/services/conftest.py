"""The stand-in of the Legacy Surveys' cutout service."""

import pytest

from tests.data.services.stand_in import cutout, serving


@pytest.fixture
def service():
    with serving(cutout) as service:
        yield service
