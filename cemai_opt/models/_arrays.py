"""Arrays in files that cannot hold code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np


def write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Writes arrays in the format of safetensors, with the mode of other files: `save_file` hides them from others."""
    from safetensors.numpy import save

    file.write_bytes(save({name: np.ascontiguousarray(array) for name, array in arrays.items()}))
