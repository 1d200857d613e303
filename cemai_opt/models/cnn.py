"""A network of convolutions along the time axis of the window."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.models._network import NetworkModel

if TYPE_CHECKING:
    from torch import nn


class CNN(NetworkModel):
    """One-dimensional convolutional network over the window (PyTorch)."""

    cost_rank = 70
    design: ClassVar = {"sequentialize.window_rows": 16, "combine.fraction": 0.5}

    @classmethod
    def _layer_hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        return (
            integer("layers", 1, high=3, default=2),
            choice("filters", (8, 16, 32, 64), default=16),
            choice("kernel_size", (3, 5, 7), default=3, unit="rows"),
        )

    def _network(self, window: int, n_features: int, *, n_outputs: int) -> nn.Module:
        from torch import nn

        class _ChannelsFirst(nn.Module):
            """(n, window, n_features) as (n, n_features, window), which convolutions expect."""

            def forward(self, x):  # type: ignore[no-untyped-def]  # torch calls it
                return x.transpose(1, 2)

        channels, filters = n_features, int(self.params["filters"])
        steps: list[nn.Module] = [_ChannelsFirst()]
        for _ in range(int(self.params["layers"])):
            steps += [
                nn.Conv1d(channels, filters, int(self.params["kernel_size"]), padding="same"),
                nn.ReLU(),
            ]
            channels = filters
        steps += [nn.Flatten(), nn.Dropout(float(self.params["dropout"]))]
        return nn.Sequential(*steps, nn.Linear(filters * window, n_outputs))
