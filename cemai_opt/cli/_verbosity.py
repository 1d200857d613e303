"""How much a command says on standard error: `--quiet` and `--verbose`, which every command has."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

QUIET = "cemai_opt.quiet"
"""Key of the context under which it is kept that notes and progress are not wanted."""
LEVELS = (logging.INFO, logging.DEBUG)
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def verbosity_options() -> list[click.Option]:
    """The options `--quiet` and `--verbose`."""
    return [
        click.Option(
            ["-q", "--quiet"], is_flag=True, expose_value=False, callback=_be_quiet, help="No notes and no progress."
        ),
        click.Option(
            ["-v", "--verbose"],
            count=True,
            expose_value=False,
            callback=_be_verbose,
            help="Log to standard error in place of notes; -vv for more.",
        ),
    ]


def notes_console() -> Console:
    """Standard error for notes and progress; silent with `--quiet`."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, quiet=is_quiet())


def is_quiet() -> bool:
    """Whether the present command was called with `--quiet`."""
    context = click.get_current_context(silent=True)
    return context is not None and bool(context.meta.get(QUIET))


def _be_quiet(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    ctx.meta[QUIET] = value or ctx.meta.get(QUIET, False)


def _be_verbose(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    if value:
        ctx.meta[QUIET] = True  # notes and progress are in the log
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(FORMAT))
        logger = logging.getLogger("cemai_opt")
        logger.addHandler(handler)
        logger.setLevel(LEVELS[min(value, len(LEVELS)) - 1])
