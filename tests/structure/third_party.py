"""A copy of the product with parts of a third party in it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]


def product_with(folder: Path, files: Mapping[str, str]) -> Path:
    """The product in `folder` with `files` added, by place ("models/mean") and text; PYTHONPATH has to name it."""
    for part in ("cemai_opt", "search_spaces", "studies"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for place, text in files.items():
        (folder / "cemai_opt" / f"{place}.py").write_text(text)
    return folder
