"""Options that several commands share, generated from the fields of a study."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from cemai_opt.options import StudyOption, study_options

F = TypeVar("F", bound=Callable[..., Any])

SEARCH_SECTIONS = ("search", "objective", "engine")
"""Sections of a study that only a search reads, with its search space."""


def data_options(command: F) -> F:
    """Options of the data source, the target, and the conversion of energy to grams."""
    data_root = click.option(
        "--data-root", metavar="DIR", help="Base folder of relative data paths.  [env: CEMAI_OPT_DATA]"
    )
    options = [option for option in study_options().values() if not _is_for_search(option)]
    return _with(command, [*map(_click_option, options), data_root])


def search_options(command: F) -> F:
    """Options of the objective and the search."""
    no_cache = click.option("--no-cache", "cache_mb", flag_value=0, type=int, help="Run every stage of every trial.")
    options = [option for option in study_options().values() if _is_for_search(option)]
    return _with(command, [*map(_click_option, options), no_cache])


def _is_for_search(option: StudyOption) -> bool:
    return option.section in SEARCH_SECTIONS or option.name == "space"


def _click_option(option: StudyOption) -> Callable[[F], F]:
    default = f"  [default: {option.default_text}]" if option.default_text else ""
    help_text = f"{option.help}{default}"
    if option.kind is bool:
        name = option.flag.removeprefix("--")
        return click.option(f"--{name}/--no-{name}", option.name, default=None, help=help_text)
    if option.kind is tuple:
        return click.option(
            option.flag, option.name, metavar=option.metavar, multiple=True, callback=_names, help=help_text
        )
    kind: Any = click.Choice(option.choices) if option.choices and option.name != "score" else option.kind
    if option.name == "intensity":
        kind = str  # a number, a file or a command
    return click.option(option.flag, option.name, type=kind, metavar=option.metavar or None, help=help_text)


def data_root_of(folder: str | None) -> Path | None:
    """The base folder of relative data paths. StudyError if there is no such folder."""
    from cemai_opt.core.errors import StudyError

    if folder is None:
        return None
    if not Path(folder).is_dir():
        raise StudyError(f"--data-root: there is no folder {folder}", "name an existing folder")
    return Path(folder)


def _names(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names in lists with commas; an option that is repeated adds to them. None if it is not given."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip()) if values else None


def _with(command: F, options: Iterable[Callable[[F], F]]) -> F:
    for option in reversed(list(options)):
        command = option(command)
    return command
