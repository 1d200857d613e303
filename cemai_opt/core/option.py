"""Settings of a study that are also options: `--name` on the command line, `name=` in Python."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

OPTION = "option"
"""Key of a field's metadata for the command line and the Python API."""


def option(
    name: str,
    help: str,
    *,
    default: Any = None,
    metavar: str = "",
    default_text: str = "",
    **constraints: Any,
) -> Any:
    """A field of a study that is also an option: `--name` on the command line, `name=` in Python.

    `help` is its documentation everywhere. `default_text` describes the default if the default value itself does not;
    `constraints` are those of `pydantic.Field`.
    """
    extra: Any = {OPTION: {"name": name, "metavar": metavar, "default_text": default_text}}
    return Field(default, description=help, json_schema_extra=extra, **constraints)


class Strict(BaseModel):
    """Frozen settings without unknown keys and infinite numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
