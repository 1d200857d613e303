"""Data sources: one reader or generator per file."""

from cemai_opt.core.registry import Registry
from cemai_opt.datasets._dataset import Dataset, Frames, NewRows
from cemai_opt.datasets._labelled_rows import read_labelled_rows
from cemai_opt.datasets._new_rows import known_pieces, read_new_rows, rows_of_frame
from cemai_opt.datasets._reader import Reader
from cemai_opt.datasets._roles import Role, Roles, is_like_groups, is_smoother_within, roles_of, tells_apart
from cemai_opt.datasets._schema import CODES, DATE, Column, Schema
from cemai_opt.datasets._shared import shared
from cemai_opt.datasets._sorted_rows import TEST_GROUP, newest_rows
from cemai_opt.datasets._stored import load_stored, store

READERS: Registry[Reader] = Registry("data source", __name__, base=Reader)

__all__ = [
    "CODES",
    "DATE",
    "READERS",
    "TEST_GROUP",
    "Column",
    "Dataset",
    "Frames",
    "NewRows",
    "Reader",
    "Role",
    "Roles",
    "Schema",
    "is_like_groups",
    "is_smoother_within",
    "known_pieces",
    "load_stored",
    "newest_rows",
    "read_labelled_rows",
    "read_new_rows",
    "roles_of",
    "rows_of_frame",
    "shared",
    "store",
    "tells_apart",
]
