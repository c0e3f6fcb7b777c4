"""A store with known latents, and its metrics."""

import pytest

from tests.train.synthetic import judge, write


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory):
    return write(tmp_path_factory.mktemp("stores") / "full")


@pytest.fixture(scope="module")
def metrics(synthetic):
    return judge(synthetic)
