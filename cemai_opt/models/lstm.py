"""A recurrent network with long short-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer
from cemai_opt.models._network import NetworkModel

if TYPE_CHECKING:
    from torch import nn


class LSTM(NetworkModel):
    """Long short-term memory over the window (PyTorch)."""

    cost_rank = 80
    design: ClassVar = {"sequentialize.window_rows": 16, "combine.fraction": 0.25}

    @classmethod
    def _layer_hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        return (integer("layers", 1, high=2, default=1), choice("units", (8, 16, 32, 64), default=16))

    def _network(self, window: int, n_features: int, *, n_outputs: int) -> nn.Module:
        import torch
        from torch import nn

        class _LastStep(nn.Module):
            """The recurrent layers' output after the last row of the window."""

            def __init__(self, layers: int, units: int) -> None:
                super().__init__()
                self.recurrent = nn.LSTM(n_features, units, layers, batch_first=True)

            def forward(self, x: torch.Tensor) -> torch.Tensor:
                outputs: torch.Tensor = self.recurrent(x)[0]
                return outputs[:, -1]

        units = int(self.params["units"])
        dropout = nn.Dropout(float(self.params["dropout"]))
        return nn.Sequential(_LastStep(int(self.params["layers"]), units), dropout, nn.Linear(units, n_outputs))
