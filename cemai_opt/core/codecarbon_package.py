"""The library CodeCarbon: its tables without an import, and its import without messages."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Iterator
from pathlib import Path


def data_file(*parts: str) -> Path:
    """A table that CodeCarbon ships, by its path under `data`; importing the library would take 0.1 s."""
    spec = importlib.util.find_spec("codecarbon")
    assert spec is not None  # a dependency
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "data", *parts)


@contextlib.contextmanager
def quiet_codecarbon() -> Iterator[None]:
    """Silences CodeCarbon: it logs before it reads its log level, and AMD's library prints that it finds no GPU."""
    logger = logging.getLogger("codecarbon")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with contextlib.redirect_stdout(None):
            yield
    finally:
        logger.disabled = was_disabled
