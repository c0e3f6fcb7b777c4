import torch

from train.evaluation.resnet_baseline import ResNet18, _error


def test_the_network_has_the_published_size():
    """18 layers with weights, and the 11.2 million of table 1 without its head of 1000 classes."""
    network = ResNet18(3, 2)
    assert sum(one.ndim == 4 and one.shape[-1] > 1 for one in network.parameters()) == 17
    assert 11.1e6 < sum(one.numel() for one in network.parameters()) < 11.3e6


def test_any_picture_size_gives_one_value_a_label():
    network = ResNet18(3, 4).eval()
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 4)
    assert network(torch.rand(1, 3, 69, 69)).shape == (1, 4)


def test_unknown_labels_do_not_count():
    said = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    target = torch.tensor([[1.0, torch.nan], [1.0, torch.nan]])
    assert _error(said, target) == 2
