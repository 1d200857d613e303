"""The base class of neural networks: training with Adam and early stopping, which restores the best epoch."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from cemai_opt.core.batch import BoolArray, FloatArray, IntArray, Prediction, WindowRows
from cemai_opt.core.errors import TrialError
from cemai_opt.core.hyperparameters import Hyperparameter, choice, integer, real
from cemai_opt.models._adam import Adam
from cemai_opt.models._model import Model, class_weight

if TYPE_CHECKING:
    import torch
    from torch import nn

FILE = "model.safetensors"
PREDICT_ROWS = 256
"""Rows predicted at once; the last batch is padded, because rounding in matrix products depends on the batch size.
From 16 to 4,096 rows this is the fastest, or nearly so, for all networks here; one row takes a millisecond at most."""
UNSEEN_LOGIT = -1e9
FINE_TUNING_STEP = 0.1
"""Steps of fine-tuning, relative to those of training."""
HELD_OUT_SHARE = 0.15
"""Share of the training rows (whole groups if there are several) that is held out to determine the best epoch."""


class NetworkModel(Model):
    """A network in PyTorch. Subclasses implement `_layer_hyperparameters` and `_network`."""

    requires = ("torch",)
    grows_by = "epochs"
    continues = reads_batches = True
    explained_with: ClassVar[tuple[str, ...]] = ("shap",)
    design: ClassVar = {"combine.fraction": 0.5}

    @classmethod
    def hyperparameters(cls, task: str) -> tuple[Hyperparameter, ...]:
        """Hyperparameters of the layers, then those of the training."""
        return (
            *cls._layer_hyperparameters(),
            real("dropout", 0.0, high=0.5, default=0.1),
            real("learning_rate", 1e-4, high=2e-2, default=1e-3, log=True),
            choice("batch_rows", (64, 128, 256, 512, 1024), default=256, unit="rows"),
            integer("epochs", 5, high=200, default=60, log=True),
            integer("patience", 3, high=50, default=8, log=True, unit="epochs"),
            *class_weight(task),
        )

    @classmethod
    @abstractmethod
    def _layer_hyperparameters(cls) -> tuple[Hyperparameter, ...]:
        """Hyperparameters of the architecture."""

    @abstractmethod
    def _network(self, window: int, n_features: int, *, n_outputs: int) -> nn.Module:
        """An untrained network from (n, window, n_features) to (n, n_outputs)."""

    def _fit(self, X: FloatArray, y: FloatArray, *, group: IntArray) -> None:
        import torch

        torch.set_num_threads(self.task.threads)
        torch.manual_seed(self.task.seed)
        self._center, self._spread = 0.0, 1.0
        if not self.task.is_classification:  # Adam's default step sizes are suitable for targets of about unit variance
            self._center, self._spread = float(y.mean()), float(y.std()) or 1.0
        self._shape = (X.shape[1], X.shape[2])
        self._net = self._built()
        if self.task.is_classification:
            self._exclude_unseen_classes(y)
        self._learn(X, y, group=group, epochs=int(self.params["epochs"]))

    def _partial_fit(self, X: FloatArray, y: FloatArray, *, group: IntArray, share: float) -> None:
        """Fine-tunes the network on the new rows: fewer epochs, smaller steps, and never worse on those held out."""
        import torch

        torch.set_num_threads(self.task.threads)
        torch.manual_seed(self.task.seed)
        epochs = max(round(share * int(self.params["epochs"])), 1)
        self._learn(X, y, group=group, epochs=epochs, step=FINE_TUNING_STEP)

    def _why_not_partial_fit(self, y: FloatArray) -> str:
        if not self.task.is_classification:
            return ""
        unseen = np.flatnonzero(self._output_layer().bias.detach().cpu().numpy() <= UNSEEN_LOGIT / 2.0)
        return "the new rows have a class that it has not seen" if np.isin(y, unseen).any() else ""

    def _learn(self, X: FloatArray, y: FloatArray, *, group: IntArray, epochs: int, step: float = 1.0) -> None:
        """Trains the network as it is for some epochs; `step` multiplies the learning rate."""
        import torch

        held_out = _held_out(group, self.task.seed)
        inputs = self._batches_of(X)
        goals = self._targets(y)
        learn, check = (torch.from_numpy(np.flatnonzero(mask)) for mask in (~held_out, held_out))
        device = self.task.device
        self._train(inputs, goals, learn=learn.to(device), check=check.to(device), epochs=epochs, step=step)

    def _batches_of(self, X: FloatArray | WindowRows) -> Callable[[torch.Tensor], torch.Tensor]:
        """A function from numbers of samples to these samples, on the device of the network."""
        import torch

        if isinstance(X, WindowRows):
            return lambda rows: torch.from_numpy(X[rows.cpu().numpy()]).to(self.task.device)
        inputs = torch.from_numpy(np.ascontiguousarray(X, np.float32)).to(self.task.device)
        return lambda rows: inputs[rows]

    def _built(self) -> nn.Module:
        """The network for inputs of `self._shape`, on its device."""
        n_outputs = self.task.n_classes if self.task.is_classification else 1
        return self._network(*self._shape, n_outputs=n_outputs).to(self.task.device)

    def _output_layer(self) -> nn.Linear:
        from torch import nn

        return [layer for layer in self._net.modules() if isinstance(layer, nn.Linear)][-1]

    def _exclude_unseen_classes(self, y: FloatArray) -> None:
        """Sets the bias of the output of a class without training rows so that its probability is exactly 0.

        The gradient of that output is then 0, so training does not change it.
        """
        import torch

        unseen = np.setdiff1d(np.arange(self.task.n_classes), y.astype(np.int64))
        output = self._output_layer()
        with torch.no_grad():
            output.bias[torch.from_numpy(unseen).to(output.bias.device)] = UNSEEN_LOGIT

    def _write(self, folder: Path) -> dict[str, Any]:
        from safetensors.torch import save

        tensors = {name: tensor.cpu().contiguous() for name, tensor in self._net.state_dict().items()}
        (folder / FILE).write_bytes(save(tensors))
        return {"shape": list(self._shape), "center": self._center, "spread": self._spread, "file": FILE}

    def _read(self, folder: Path, state: Mapping[str, Any]) -> None:
        import torch
        from safetensors.torch import load_file

        self._shape = (int(state["shape"][0]), int(state["shape"][1]))
        self._center, self._spread = float(state["center"]), float(state["spread"])
        torch.set_num_threads(self.task.threads)
        self._net = self._built()
        self._net.load_state_dict(load_file(folder / FILE))

    def _onnx(self, window: int, n_features: int) -> Any:
        from cemai_opt.models._onnx import converted_network

        self._net.eval()
        scale = None if self.task.is_classification else (self._spread, self._center)
        return converted_network(self._net, scale, window=window, n_features=n_features)

    def _targets(self, y: FloatArray) -> torch.Tensor:
        import torch

        if self.task.is_classification:
            return torch.from_numpy(y.astype(np.int64)).to(self.task.device)
        scaled = ((y - self._center) / self._spread).astype(np.float32)
        return torch.from_numpy(scaled[:, None]).to(self.task.device)

    def _train(
        self,
        inputs: Callable[[torch.Tensor], torch.Tensor],
        goals: torch.Tensor,
        *,
        learn: torch.Tensor,
        check: torch.Tensor,
        epochs: int,
        step: float,
    ) -> None:
        import torch
        from torch import nn

        loss_of = nn.CrossEntropyLoss(self._class_weights(goals)) if self.task.is_classification else nn.MSELoss()
        optimizer = Adam(list(self._net.parameters()), learning_rate=step * float(self.params["learning_rate"]))
        batch_rows, patience = int(self.params["batch_rows"]), int(self.params["patience"])
        best_loss, best_state, best_epoch = float("inf"), None, 0
        if step < 1.0:  # what it knows already is better than nothing
            best_loss = self._loss(inputs, goals, rows=check, loss_of=loss_of)
            best_state = copy.deepcopy(self._net.state_dict())
        for epoch in range(epochs):
            self._net.train()
            shuffled = learn[torch.randperm(len(learn)).to(learn.device)]
            for rows in torch.split(shuffled, batch_rows):
                optimizer.zero_grad()
                loss_of(self._net(inputs(rows)), goals[rows]).backward()
                optimizer.step()
            loss = self._loss(inputs, goals, rows=check, loss_of=loss_of)
            if loss < best_loss:
                best_loss, best_state, best_epoch = loss, copy.deepcopy(self._net.state_dict()), epoch
            elif epoch - best_epoch >= patience:
                break
            if best_state is not None and not self._shown(epoch + 1, best_state):
                break
        if best_state is None:
            raise TrialError("the network's loss was not a number in any epoch", "try a lower learning rate")
        self._net.load_state_dict(best_state)
        optimizer.release()

    def _class_weights(self, goals: torch.Tensor) -> torch.Tensor | None:
        """Weights of all classes, if they are balanced: (n_classes,), 0 for a class without rows."""
        import torch

        codes = goals.cpu().numpy()
        weights = self.row_weights(codes)
        if weights is None:
            return None
        by_class = np.zeros(self.task.n_classes, np.float32)
        by_class[codes] = weights
        return torch.from_numpy(by_class).to(goals.device)

    def _shown(self, size: int, best_state: dict[str, torch.Tensor]) -> bool:
        """Whether training continues after `size` epochs; `on_checkpoint` is called with the best network so far."""
        if self._on_checkpoint is None or size not in self.checkpoints():
            return True
        current = copy.deepcopy(self._net.state_dict())
        self._net.load_state_dict(best_state)
        goes_on = self._goes_on(size)
        self._net.load_state_dict(current)
        return goes_on

    def _loss(
        self,
        inputs: Callable[[torch.Tensor], torch.Tensor],
        goals: torch.Tensor,
        *,
        rows: torch.Tensor,
        loss_of: nn.Module,
    ) -> float:
        import torch

        self._net.eval()
        with torch.no_grad():
            losses = [float(loss_of(self._net(inputs(p)), goals[p])) * len(p) for p in torch.split(rows, 4096)]
        return sum(losses) / len(rows)

    def _predict(self, X: FloatArray) -> Prediction:
        import torch

        self._net.eval()
        inputs = torch.from_numpy(np.ascontiguousarray(X, np.float32))
        with torch.no_grad():
            parts = [self._batch_outputs(part) for part in torch.split(inputs, PREDICT_ROWS)]
        outputs = torch.cat(parts).double()
        if self.task.is_classification:
            by_class = torch.softmax(outputs, dim=1).numpy()
            return Prediction(by_class.argmax(axis=1).astype(np.float64), by_class)
        return Prediction(outputs.numpy()[:, 0] * self._spread + self._center)

    def _shapley_values(self, X: FloatArray, *, background: FloatArray) -> FloatArray:
        import torch

        from cemai_opt.models._shapley import of_network

        self._net.eval()
        inputs, others = (
            torch.from_numpy(np.ascontiguousarray(windows, np.float32)).to(self.task.device)
            for windows in (X, background)
        )
        return of_network(self._net, inputs, background=others, seed=self.task.seed)

    def _batch_outputs(self, part: torch.Tensor) -> torch.Tensor:
        """The network's outputs for at most `PREDICT_ROWS` rows, padded to this number."""
        import torch

        n_lacking = PREDICT_ROWS - len(part)
        full = torch.cat([part, part.new_zeros((n_lacking, *part.shape[1:]))]) if n_lacking else part
        outputs: torch.Tensor = self._net(full.to(self.task.device))[: len(part)].cpu()
        return outputs


def _held_out(group: IntArray, seed: int) -> BoolArray:
    """Training rows that determine the best epoch: some whole groups, or the end of the only group."""
    groups, counts = np.unique(group, return_counts=True)
    if len(groups) == 1:
        return np.arange(len(group)) >= min(int(len(group) * (1 - HELD_OUT_SHARE)), len(group) - 1)
    shuffled = np.random.default_rng(seed).permutation(len(groups))
    n_chosen = int(np.searchsorted(np.cumsum(counts[shuffled]), HELD_OUT_SHARE * len(group))) + 1
    return np.isin(group, groups[shuffled[: min(n_chosen, len(groups) - 1)]])
