"""The base class of all readers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, final

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.errors import StudyError
from cemai_opt.core.registry import Part
from cemai_opt.datasets._assemble import assemble
from cemai_opt.datasets._dataset import Dataset, Frames


class Reader(Part, ABC):
    """One kind of data source. Subclasses implement `_read`.

    `appends` is whether they read `spec.append`, too; `generates` whether they generate `spec.rows` rows.
    """

    appends: ClassVar[bool] = False
    generates: ClassVar[bool] = False

    @final
    def read(self, spec: DataSpec, task: str) -> Dataset:
        """The rows of `spec`, checked. StudyError if they are invalid."""
        if spec.append and not self.appends:
            raise StudyError(f"the data source {spec.source} has no --append", "convert the data to CSV or Parquet")
        if spec.rows is not None and not self.generates:
            raise StudyError(f"--rows is for generated data, not for the data source {spec.source}", "leave it out")
        frames = self._read(spec)
        try:
            return assemble(frames, self._filled(spec), task=task)
        except (TypeError, AttributeError, UnicodeDecodeError) as error:  # lists, structures, bytes in a cell
            raise StudyError(f"a column holds neither numbers nor text: {error}", "leave it out") from error

    def within_memory(self, spec: DataSpec) -> DataSpec:
        """`spec`, with as many rows as fit into memory if there are more, where the source can choose some."""
        return spec

    @abstractmethod
    def _read(self, spec: DataSpec) -> Frames:
        """The raw rows."""

    def _filled(self, spec: DataSpec) -> DataSpec:
        """`spec` with the defaults of this source, such as a generator's target."""
        return spec
