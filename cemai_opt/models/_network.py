"""The base of neural networks: training with Adam, early stopping, the best epoch kept."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray, Prediction
from cemai_opt.core.errors import TrialError
from cemai_opt.core.genes import Gene, choice, integer, real
from cemai_opt.models._model import Model

if TYPE_CHECKING:
    import torch
    from torch import nn

FILE = "model.safetensors"
PREDICT_ROWS = 256
"""Rows predicted at once, the last ones filled up: matrix products round a row differently in batches of other sizes.
From 16 to 4,096 rows this is the fastest, or nearly so, for all networks here; one row takes a millisecond at most."""
HELD_OUT_SHARE = 0.15
"""Share of the training rows, whole groups where there are several, that decides which epoch was best."""


class NetworkModel(Model):
    """A network in PyTorch. A part writes `_layers_genes` and `_network`."""

    requires = ("torch",)
    grows_by = "epochs"
    design: ClassVar = {"combine.fraction": 0.5}

    @classmethod
    def genes(cls, task: str) -> tuple[Gene, ...]:
        """Genes of the layers, then those of the training."""
        return (
            *cls._layers_genes(),
            real("dropout", 0.0, 0.5, 0.1),
            real("learning_rate", 1e-4, 2e-2, 1e-3, log=True),
            choice("batch_rows", (64, 128, 256, 512, 1024), 256, unit="rows"),
            integer("epochs", 5, 200, 60, log=True),
            integer("patience", 3, 50, 8, log=True, unit="epochs"),
        )

    @classmethod
    @abstractmethod
    def _layers_genes(cls) -> tuple[Gene, ...]:
        """Genes of the architecture."""

    @abstractmethod
    def _network(self, window: int, n_features: int, n_outputs: int) -> nn.Module:
        """An untrained network from (n, window, n_features) to (n, n_outputs)."""

    def _fit(self, X: FloatArray, y: FloatArray, group: IntArray) -> None:
        import torch

        torch.set_num_threads(self.job.threads)
        torch.manual_seed(self.job.seed)
        self._center, self._spread = 0.0, 1.0
        if not self.job.is_classification:  # step sizes of Adam suit targets of about unit variance
            self._center, self._spread = float(y.mean()), float(y.std()) or 1.0
        self._shape = (X.shape[1], X.shape[2])
        self._net = self._built()
        held_out = _held_out(group, self.job.seed)
        inputs = torch.from_numpy(np.ascontiguousarray(X, np.float32)).to(self.job.device)
        goals = self._goals(y)
        learn, check = (torch.from_numpy(np.flatnonzero(mask)) for mask in (~held_out, held_out))
        self._train(inputs, goals, learn.to(self.job.device), check.to(self.job.device))

    def _built(self) -> nn.Module:
        """The network for inputs of `self._shape`, on its device."""
        n_outputs = self.job.n_classes if self.job.is_classification else 1
        return self._network(*self._shape, n_outputs).to(self.job.device)

    def _write(self, folder: Path) -> dict[str, Any]:
        from safetensors.torch import save_file

        save_file({name: tensor.cpu().contiguous() for name, tensor in self._net.state_dict().items()}, folder / FILE)
        return {"shape": list(self._shape), "center": self._center, "spread": self._spread, "file": FILE}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        import torch
        from safetensors.torch import load_file

        self._shape = (int(state["shape"][0]), int(state["shape"][1]))
        self._center, self._spread = float(state["center"]), float(state["spread"])
        torch.set_num_threads(self.job.threads)
        self._net = self._built()
        self._net.load_state_dict(load_file(folder / FILE))

    def _onnx(self, window: int, n_features: int) -> Any:
        from cemai_opt.models._onnx import converted_network

        self._net.eval()
        scale = None if self.job.is_classification else (self._spread, self._center)
        return converted_network(self._net, scale, window, n_features)

    def _goals(self, y: FloatArray) -> torch.Tensor:
        import torch

        if self.job.is_classification:
            return torch.from_numpy(y.astype(np.int64)).to(self.job.device)
        scaled = ((y - self._center) / self._spread).astype(np.float32)
        return torch.from_numpy(scaled[:, None]).to(self.job.device)

    def _train(self, inputs: torch.Tensor, goals: torch.Tensor, learn: torch.Tensor, check: torch.Tensor) -> None:
        import torch
        from torch import nn

        loss_of = nn.CrossEntropyLoss() if self.job.is_classification else nn.MSELoss()
        optimizer = torch.optim.Adam(self._net.parameters(), lr=float(self.params["learning_rate"]))
        batch_rows, patience = int(self.params["batch_rows"]), int(self.params["patience"])
        best_loss, best_state, best_epoch = float("inf"), None, 0
        for epoch in range(int(self.params["epochs"])):
            self._net.train()
            shuffled = learn[torch.randperm(len(learn)).to(learn.device)]
            for rows in torch.split(shuffled, batch_rows):
                optimizer.zero_grad(set_to_none=True)
                loss_of(self._net(inputs[rows]), goals[rows]).backward()
                optimizer.step()
            loss = self._loss(inputs, goals, check, loss_of)
            if loss < best_loss:
                best_loss, best_state, best_epoch = loss, copy.deepcopy(self._net.state_dict()), epoch
            elif epoch - best_epoch >= patience:
                break
            if best_state is not None and not self._shown(epoch + 1, best_state):
                break
        if best_state is None:
            raise TrialError("the network's loss was not a number in any epoch", "try a lower learning rate")
        self._net.load_state_dict(best_state)

    def _shown(self, size: int, best_state: dict[str, torch.Tensor]) -> bool:
        """Does training go on after `size` epochs? The best network so far is shown to who watches."""
        if self._watch is None or size not in self.checkpoints():
            return True
        current = copy.deepcopy(self._net.state_dict())
        self._net.load_state_dict(best_state)
        goes_on = self._goes_on(size)
        self._net.load_state_dict(current)
        return goes_on

    def _loss(self, inputs: torch.Tensor, goals: torch.Tensor, rows: torch.Tensor, loss_of: nn.Module) -> float:
        import torch

        self._net.eval()
        with torch.no_grad():
            losses = [float(loss_of(self._net(inputs[p]), goals[p])) * len(p) for p in torch.split(rows, 4096)]
        return sum(losses) / len(rows)

    def _predict(self, X: FloatArray) -> Prediction:
        import torch

        self._net.eval()
        inputs = torch.from_numpy(np.ascontiguousarray(X, np.float32))
        with torch.no_grad():
            parts = [self._batch_outputs(part) for part in torch.split(inputs, PREDICT_ROWS)]
        outputs = torch.cat(parts).double()
        if self.job.is_classification:
            by_class = torch.softmax(outputs, dim=1).numpy()
            return Prediction(by_class.argmax(axis=1).astype(np.float64), by_class)
        return Prediction(outputs.numpy()[:, 0] * self._spread + self._center)

    def _batch_outputs(self, part: torch.Tensor) -> torch.Tensor:
        """The network's outputs for at most `PREDICT_ROWS` rows, computed as for so many."""
        import torch

        n_lacking = PREDICT_ROWS - len(part)
        full = torch.cat([part, part.new_zeros((n_lacking, *part.shape[1:]))]) if n_lacking else part
        outputs: torch.Tensor = self._net(full.to(self.job.device))[: len(part)].cpu()
        return outputs


def _held_out(group: IntArray, seed: int) -> BoolArray:
    """Training rows that choose the epoch: some whole groups, or the end of the only one."""
    groups, counts = np.unique(group, return_counts=True)
    if len(groups) == 1:
        return np.arange(len(group)) >= min(int(len(group) * (1 - HELD_OUT_SHARE)), len(group) - 1)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    n_chosen = int(np.searchsorted(np.cumsum(counts[shuffled]), HELD_OUT_SHARE * len(group))) + 1
    return np.isin(group, groups[shuffled[: min(n_chosen, len(groups) - 1)]])
