import numpy as np
import pytest
import torch

from train.evaluation import cnn_baseline
from train.evaluation.cnn_baseline import PlainCnn, _error, by_cnn, central_pixels


@pytest.mark.parametrize("size", [48, 20])
def test_any_core_gives_one_value_a_label(size):
    network = PlainCnn(5, 4, width=8).eval()
    assert network(torch.rand(2, 3, size, size)).shape == (2, 4)


def test_unknown_labels_do_not_count():
    estimate = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    target = torch.tensor([[1.0, torch.nan], [1.0, torch.nan]])
    assert _error(estimate, target) == 2


def test_the_core_is_the_middle_in_units_of_its_noise(sample):
    ids = sample.catalog["id"].iloc[[5, 3]]
    core = central_pixels([sample], ids, np.array([True, True]))
    size = core.shape[-1]
    edge = (sample.info.size - size) // 2
    middle = sample.pixels(slice(5, 6))[0, :, edge : edge + size, edge : edge + size]
    ratio = np.sinh(core[0].numpy()) / middle
    assert ratio[0].std() < 1e-3 * ratio[0].mean()
    lost = central_pixels([sample], ids.replace({ids.iloc[1]: "nowhere"}), np.array([True, False]))
    assert torch.isnan(lost[1]).all()


class Galaxies:
    """Galaxies whose labels are what their middle shows."""

    def __init__(self, count):
        rng = np.random.default_rng(0)
        self.images = torch.tensor(rng.normal(size=(count, 3, 12, 12)), dtype=torch.float32)
        self.images[:, :, 4:8, 4:8] += torch.tensor(rng.normal(size=(count, 3, 1, 1)) * 2)
        split = np.arange(count) % 4
        self.train, self.validation, self.test = split < 2, split == 2, split == 3

    def __len__(self):
        return len(self.images)

    def truth(self, name):
        shown = self.images[:, :, 4:8, 4:8].mean(dim=(2, 3)).numpy().astype(float)
        return shown[:, 0] + 0.1 if name == "redshift" else shown[:, 1] - shown[:, 2]


def test_it_learns_what_the_middle_shows(monkeypatch):
    monkeypatch.setattr(cnn_baseline, "MAX_EPOCHS", 12)
    galaxies = Galaxies(600)
    found = by_cnn(galaxies, galaxies.images, seed=0)
    for name in ("redshift", "log_mass"):
        error = (found[name].value - galaxies.truth(name))[galaxies.test]
        rms = np.sqrt(np.square(error).mean())  # sigma is of all errors, a common one too
        assert rms < 0.5 * galaxies.truth(name).std()
        assert found[name].sigma[0] == pytest.approx(rms, rel=0.3)


def test_nothing_is_estimated_without_a_validation_split():
    galaxies = Galaxies(40)
    galaxies.validation[:] = False
    assert by_cnn(galaxies, galaxies.images, seed=0) == {}
