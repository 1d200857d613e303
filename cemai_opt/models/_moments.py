"""First and second moments of training rows, from which a linear model follows, and which add up."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from cemai_opt.core.batch import FloatArray
from cemai_opt.models._arrays import write_arrays

FILE = "moments.safetensors"


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Of `n` rows: means (n_features,) and (n_outputs,), and sums of centered products `xx`, `xy`, all in doubles."""

    MAX_FEATURES: ClassVar[int] = 1024
    """With more, the products would take more than 8 MB."""

    n: float
    x: FloatArray
    y: FloatArray
    xx: FloatArray
    xy: FloatArray

    @staticmethod
    def of(X: FloatArray, y: FloatArray) -> Moments:
        """Those of `X` (n, n_features) and `y` (n, n_outputs)."""
        X, y = np.asarray(X, np.float64), np.asarray(y, np.float64)
        mean_x, mean_y = X.mean(axis=0), y.mean(axis=0)
        X, y = X - mean_x, y - mean_y
        return Moments(n=float(len(X)), x=mean_x, y=mean_y, xx=X.T @ X, xy=X.T @ y)

    def merged(self, other: Moments) -> Moments:
        """Those of the rows of both.

        Source: Chan, Golub, LeVeque (1983), Algorithms for computing the sample variance, The American Statistician.
        """
        n = self.n + other.n
        dx, dy, both = other.x - self.x, other.y - self.y, self.n * other.n / n
        return Moments(
            n=n,
            x=self.x + dx * (other.n / n),
            y=self.y + dy * (other.n / n),
            xx=self.xx + other.xx + both * np.outer(dx, dx),
            xy=self.xy + other.xy + both * np.outer(dx, dy),
        )

    def ridge(self, alpha: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients (n_outputs, n_features) and intercepts (n_outputs,) with an L2 penalty on the coefficients."""
        penalty = np.diag(np.full(len(self.x), alpha))
        coefficients = np.linalg.solve(self.xx + penalty, self.xy).T
        return coefficients, self.y - coefficients @ self.x

    def write(self, folder: Path) -> str:
        """Writes a file into `folder`; returns its name."""
        arrays = {"n": np.array([self.n]), "x": self.x, "y": self.y, "xx": self.xx, "xy": self.xy}
        write_arrays(folder / FILE, arrays)
        return FILE

    @staticmethod
    def read(file: Path) -> Moments:
        """What `write` wrote. ValueError if the arrays do not belong together."""
        from safetensors.numpy import load_file

        found = load_file(file)
        n_features, n_outputs = len(found["x"]), len(found["y"])
        if found["xx"].shape != (n_features, n_features) or found["xy"].shape != (n_features, n_outputs):
            raise ValueError(f"{file} holds moments of different features")
        return Moments(n=float(found["n"][0]), **{name: found[name] for name in ("x", "y", "xx", "xy")})
