"""Where rows come from: one reader or generator a file."""

from cemai_opt.core.registry import Registry
from cemai_opt.datasets._dataset import Dataset, Frames, NewRows
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets._schema import Schema
from cemai_opt.datasets._stored import load_stored, store

READERS: Registry[Reader] = Registry("data source", __name__, Reader)

__all__ = [
    "READERS",
    "Dataset",
    "Frames",
    "NewRows",
    "Reader",
    "Schema",
    "load_stored",
    "store",
]
