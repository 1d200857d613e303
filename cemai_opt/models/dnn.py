"""A fully connected network on the flattened window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.models._network import NetworkModel

if TYPE_CHECKING:
    from torch import nn


class DNN(NetworkModel):
    """Fully connected network (PyTorch)."""

    cost_rank = 60

    @classmethod
    def _layer_hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        return (integer("layers", 1, high=4, default=2), choice("units", (8, 16, 32, 64, 128, 256), default=16))

    def _network(self, window: int, n_features: int, *, n_outputs: int) -> nn.Module:
        from torch import nn

        width, units = window * n_features, int(self.params["units"])
        steps: list[nn.Module] = [nn.Flatten()]
        for _ in range(int(self.params["layers"])):
            steps += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(float(self.params["dropout"]))]
            width = units
        return nn.Sequential(*steps, nn.Linear(width, n_outputs))
