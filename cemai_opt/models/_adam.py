"""Adam over all parameters of a network at once.

`torch.optim` imports PyTorch's compiler when the first optimiser is made, a second of CPU time in every process that
trains a network, and updates one tensor after the other: for the small networks here, most of a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Kingma and Ba (2015), Adam, algorithm 1, with its constants. The parameters are views of one vector meanwhile."""

    def __init__(self, parameters: Sequence[torch.nn.Parameter], *, learning_rate: float) -> None:
        import torch

        self._parameters, self._rate, self._n_steps = list(parameters), learning_rate, 0
        self._values = torch.cat([parameter.detach().reshape(-1) for parameter in self._parameters])
        self._gradient, self._mean, self._square = (torch.zeros_like(self._values) for _ in range(3))
        start = 0
        for parameter in self._parameters:
            end = start + parameter.numel()
            parameter.data = self._values[start:end].view_as(parameter)
            parameter.grad = self._gradient[start:end].view_as(parameter)
            start = end

    def zero_grad(self) -> None:
        """Forgets the gradient, to which a backward pass adds its own."""
        self._gradient.zero_()

    def step(self) -> None:
        """Changes the parameters by the gradient."""
        self._n_steps += 1
        self._mean.lerp_(self._gradient, 1.0 - BETA1)
        self._square.mul_(BETA2).addcmul_(self._gradient, self._gradient, value=1.0 - BETA2)
        scale = math.sqrt(1.0 - BETA2**self._n_steps)
        denominator = self._square.sqrt().div_(scale).add_(EPSILON)
        self._values.addcdiv_(self._mean, denominator, value=-self._rate / (1.0 - BETA1**self._n_steps))

    def release(self) -> None:
        """Gives every parameter memory of its own again."""
        for parameter in self._parameters:
            parameter.data, parameter.grad = parameter.data.clone(), None
