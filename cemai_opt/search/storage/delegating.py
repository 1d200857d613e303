"""An Optuna storage that forwards every call to another storage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from optuna.storages import BaseStorage


def _delegated(name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.call(name, *args, **kwargs)

    return call


OPERATIONS = tuple(sorted(BaseStorage.__abstractmethods__ | {"remove_session", "check_trial_is_updatable"}))
"""Names of the operations of an Optuna storage, read from Optuna itself."""

_Operations: Any = type("_Operations", (BaseStorage,), {name: _delegated(name) for name in OPERATIONS})


class DelegatingStorage(_Operations):  # type: ignore[misc]  # made above
    """Forwards every operation to `inner`; a subclass overrides `call`, or single operations."""

    def __init__(self, inner: BaseStorage) -> None:
        self.inner = inner

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """The result of one operation of the inner storage."""
        return getattr(self.inner, operation)(*args, **kwargs)
