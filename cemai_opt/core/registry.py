"""Registries of parts, whose names are those of their files: `models/ridge.py` is `ridge` everywhere."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

from cemai_opt.core.errors import StudyError, nearest

EXTRA_OF = {
    "torch": "deep",
    "lightgbm": "boost",
    "matplotlib": "report",
    "jinja2": "report",
    "optuna_dashboard": "dashboard",
    "distributed": "dask",
    "skops": "export",
    "safetensors": "export",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "skl2onnx": "onnx",
    "onnxmltools": "onnx",
    "onnxscript": "onnx",
    "plotly": "dashboard",
    "h5py": "hdf5",
    "mlflow": "mlflow",
    "shap": "explain",
    "zeus": "zeus",
}
"""The extra of this package that installs a library; other libraries are dependencies of the package itself."""


def need(*libraries: str) -> None:
    """StudyError with the command to install what is missing, if a library is missing."""
    missing = tuple(library for library in libraries if importlib.util.find_spec(library) is None)
    if missing:
        raise StudyError(f"this needs {', '.join(missing)}", Listing("", "", missing).remedy)


class Part:
    """Base class of everything that is registered by name: models, stages, meters, engines and others."""

    requires: ClassVar[tuple[str, ...]] = ()
    """Required libraries, by import name. If one is missing, the part is listed as unavailable."""


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Listing:
    """One line of `parts`: a name, whether it can be used here, and what to install if not."""

    name: str
    summary: str
    missing: tuple[str, ...]

    @property
    def is_available(self) -> bool:
        """Whether the part can be used here."""
        return not self.missing

    @property
    def remedy(self) -> str:
        """The command that makes an unavailable part available."""
        extras = sorted({EXTRA_OF[library] for library in self.missing if library in EXTRA_OF})
        others = sorted(library for library in self.missing if library not in EXTRA_OF)
        wanted = [f"'cemai-opt[{','.join(extras)}]'"] * bool(extras) + others
        return f"pip install {' '.join(wanted)}" if wanted else ""


class Registry(Generic[P]):
    """All parts of one kind: the public modules of a package, each defining one subclass of `base`."""

    def __init__(self, kind: str, package: str, *, base: type[P]) -> None:
        self.kind = kind
        self._package = package
        self._base = base
        self._found: dict[str, type[P]] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Sorted names of all parts, read from the folder without importing them."""
        path = importlib.import_module(self._package).__path__
        return tuple(sorted(m.name for m in pkgutil.iter_modules(path) if not m.name.startswith("_")))

    def find(self, name: str) -> type[P]:
        """The class of a part. StudyError, with a suggestion, if there is no such part."""
        if name not in self._found:
            self._found[name] = self._read(name)
        return self._found[name]

    def _read(self, name: str) -> type[P]:
        if name not in self.names:
            raise StudyError(f"there is no {self.kind} called {name!r}", nearest(name, self.names))
        module = importlib.import_module(f"{self._package}.{name}")
        own = [
            thing
            for thing in vars(module).values()
            if isinstance(thing, type)
            and issubclass(thing, self._base)
            and thing.__module__ == module.__name__
            and not thing.__name__.startswith("_")
        ]
        if len(own) != 1:
            raise StudyError(
                f"{module.__name__} defines {len(own)} subclasses of {self._base.__name__}",
                "a part's file defines exactly one; hide others behind a leading underscore",
            )
        return own[0]

    def require(self, name: str) -> type[P]:
        """The class of a part. StudyError with the command to install what is missing, if it cannot be used here."""
        listing = self.listing(name)
        if not listing.is_available:
            raise StudyError(f"{self.kind} {name!r} needs {', '.join(listing.missing)}", listing.remedy)
        return self.find(name)

    def listing(self, name: str) -> Listing:
        """The line of `parts` for one part."""
        part = self.find(name)
        missing = tuple(lib for lib in part.requires if importlib.util.find_spec(lib) is None)
        summary = (part.__doc__ or "").strip().splitlines() or [""]
        return Listing(name, summary[0], missing)

    def listings(self) -> list[Listing]:
        """Every part of this kind, available or not."""
        return [self.listing(name) for name in self.names]

    def available(self) -> tuple[str, ...]:
        """Names of the parts that can be used here."""
        return tuple(listing.name for listing in self.listings() if listing.is_available)
