"""Adam over all parameters at once, compared with PyTorch's."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from cemai_opt.models._adam import Adam

X, Y = torch.linspace(-1.0, 1.0, 64).reshape(32, 2), torch.linspace(0.0, 1.0, 32)[:, None]


def network() -> nn.Module:
    """Two layers, always with the same values."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))


def test_steps_are_those_of_pytorch() -> None:
    """After fifty of them; then every parameter has memory of its own again."""
    own, other = network(), network()
    ours, theirs = Adam(list(own.parameters()), learning_rate=0.01), torch.optim.Adam(other.parameters(), lr=0.01)
    for _ in range(50):
        for net, optimizer in ((own, ours), (other, theirs)):
            optimizer.zero_grad()
            nn.functional.mse_loss(net(X), Y).backward()
            optimizer.step()
    ours.release()
    for a, b in zip(own.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
        assert a.untyped_storage().nbytes() == 4 * a.numel()


def test_it_does_not_load_the_compiler() -> None:
    """That takes a second of CPU time in every process that trains a network."""
    code = (
        "import sys, torch; from cemai_opt.models._adam import Adam; layer = torch.nn.Linear(2, 1); "
        "adam = Adam(list(layer.parameters()), learning_rate=0.1); layer(torch.ones(1, 2)).sum().backward(); "
        "adam.step(); sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
