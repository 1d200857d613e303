"""Conversion of typed records to and from JSON values, for all documents on disk and between processes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, PlainSerializer, TypeAdapter

T = TypeVar("T")

RECORD = ConfigDict(ser_json_inf_nan="constants")
"""Configuration of a record whose numbers may be infinite or not a number; assign it to `__pydantic_config__`."""


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def to_json(record: Any) -> Any:
    """JSON values of a record: a frozen dataclass, a pydantic model, or a container of them.

    >>> from cemai_opt.core.ledger_entry import LedgerEntry
    >>> to_json(LedgerEntry(entry="driver", energy_j=2.0))["energy_j"]
    2.0
    """
    return _adapter(type(record)).dump_python(record, mode="json", by_alias=True)


def from_json(kind: type[T], document: object) -> T:
    """The record of type `kind` that `to_json` wrote. ValueError with the field that is missing or wrong.

    Unknown keys are ignored, so that documents of later versions can be read.
    """
    record: T = _adapter(kind).validate_python(document)
    return record


def bare(kind: type[Any], field: str, *, inner: Any) -> tuple[BeforeValidator, PlainSerializer]:
    """Annotations for a record with one field, whose JSON form is the value of that field.

    `inner` is the type of the field: `Annotated[Cost, *bare(Cost, "rows", inner=tuple[Measurement, ...])]`.
    """
    adapter: TypeAdapter[Any] = TypeAdapter(inner)

    def read(document: Any) -> Any:
        return document if isinstance(document, kind) else kind(adapter.validate_python(document))

    def write(record: Any) -> Any:
        return adapter.dump_python(getattr(record, field), mode="json", by_alias=True)

    return BeforeValidator(read), PlainSerializer(write)


def _array_in(document: Any) -> Any:
    """The array itself, or that in a document."""
    import numpy as np

    if isinstance(document, np.ndarray):
        return document
    if not isinstance(document, dict) or set(document) != {"shape", "float64"}:
        raise ValueError("an array is written as shape and float64")
    return np.frombuffer(base64.b64decode(document["float64"]), "<f8").reshape(document["shape"])


def _document_of(array: Any) -> dict[str, Any]:
    return {"shape": list(array.shape), "float64": base64.b64encode(array.astype("<f8").tobytes()).decode()}


if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    JsonArray = npt.NDArray[np.floating[Any]]
else:  # numpy is not loaded before there is an array
    JsonArray = Annotated[Any, BeforeValidator(_array_in), PlainSerializer(_document_of)]
    """An array of numbers as a field of a record: its JSON form holds its bytes in base64, and loses nothing."""
