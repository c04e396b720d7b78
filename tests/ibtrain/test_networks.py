"""Networks: shapes, sizes and gradients; a scaling that changes nothing but the latent."""

import pytest
import torch
from torch import nn

from ibtrain import ConfigError, networks

NETWORKS = {
    "mlp": (lambda: networks.MLP(64, [32, 16], 7), (5, 64), (5, 7), 64 * 32 + 32 + 32 * 16 + 16 + 16 * 7 + 7),
    "linear": (lambda: networks.MLP(64, [], 7), (5, 8, 8), (5, 7), 64 * 7 + 7),
    "codes": (lambda: networks.CodeDecoder(9, [8], 7), (9, 1, 9), (9, 1, 7), 9 * 8 + 8 + 8 * 7 + 7),
    "trunk": (lambda: networks.ConvolutionTrunk(1), (2, 1, 28, 28), (2, 9216), 32 * 10 + 64 * (32 * 9 + 1)),
    "head": (lambda: networks.dropout_head(9216, 10), (2, 9216), (2, 10), 9217 * 128 + 129 * 10),
    # torchvision's ResNet18 has 11,181,642 parameters with 10 outputs; the stem loses 64 x 3 x (49 - 9) of them.
    "resnet18": (lambda: networks.resnet18(10), (2, 3, 32, 32), (2, 10), 11_181_642 - 64 * 3 * 40),
    "grey resnet18": (lambda: networks.resnet18(10, channels=1), (2, 1, 28, 28), (2, 10), 11_173_962 - 64 * 2 * 9),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_has_its_shape_its_size_and_gradients_everywhere(name):
    build, shape, expected, size = NETWORKS[name]
    torch.manual_seed(0)
    network = build()
    found = network(torch.randn(shape))
    assert found.shape == expected
    assert sum(parameter.numel() for parameter in network.parameters()) == size
    found.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def test_scaling_and_unscaling_leave_the_network_as_it_is():
    torch.manual_seed(0)
    scaling = networks.Scaling(4)
    plain = nn.Sequential(nn.Linear(6, 4), nn.Linear(4, 3))
    scaled = nn.Sequential(plain[0], scaling, networks.Unscaling(scaling), plain[1])
    values = torch.randn(8, 6)
    scaling.set(shift=torch.randn(4), scale=torch.tensor([1.0, 1e-3, 1e-6, 1e3]))
    torch.testing.assert_close(scaled(values), plain(values), rtol=1e-4, atol=1e-5)
    copy = nn.Sequential(plain[0], fresh := networks.Scaling(4), networks.Unscaling(fresh), plain[1])
    copy.load_state_dict(scaled.state_dict())
    assert torch.equal(copy(values), scaled(values))


@pytest.mark.parametrize("scale", [0.0, -1.0, float("inf"), float("nan")])
def test_a_scale_must_be_positive_and_finite(scale):
    with pytest.raises(ConfigError, match="positive scale"):
        networks.Scaling(2).set(shift=torch.zeros(2), scale=torch.tensor([1.0, scale]))
