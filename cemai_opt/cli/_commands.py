"""The group of commands, and commands with more options than fit one screen."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

import click

from cemai_opt.cli._verbosity import verbosity_options
from cemai_opt.core.errors import nearest
from cemai_opt.options import study_options


class Commands(click.Group):
    """The public modules of a package, each with a click command called `command`."""

    def __init__(self, *args: Any, package: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, in alphabetical order."""
        folders = importlib.import_module(self._package).__path__
        return sorted(m.name for m in pkgutil.iter_modules(folders) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name, with the options that all commands have; None if there is none."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{self._package}.{cmd_name}").command
        if not any(param.name == "quiet" for param in command.params):
            command.params.extend(verbosity_options())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is called; an error with the nearest name if there is none."""
        if (
            args
            and not args[0].startswith("-")
            and self.get_command(ctx, args[0]) is None
            and not ctx.resilient_parsing
        ):
            ctx.fail(f"there is no command {args[0]!r} ({nearest(args[0], self.list_commands(ctx))})")
        return super().resolve_command(ctx, args)


USUAL = frozenset(
    [
        "data",
        "target",
        "group",
        "time",
        "test",
        "ignore",
        "score",
        "split",
        "trials",
        "preset",
        "budget_grams",
        "country",
        "workers",
    ]
)
"""Options of a study that `--help` shows."""
BESIDE = ("data_root", "cache_mb", "no_audit", "trace", "forecast_from", "deadline")
"""Options of commands that it does not show."""
COLUMN_WIDTH = 20
_ALL = "cemai_opt.help_all"


class LongCommand(click.Command):
    """A command with more options than fit a screen: `--help-all` shows those of a study that are not `USUAL`, too."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        about = "Show all options, and what each does."
        show = click.Option(
            ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_show_all, help=about
        )
        self.params.append(show)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the usual options and those of the command itself, or all of them."""
        is_all = bool(ctx.meta.get(_ALL))
        left_out = set() if is_all else {*study_options(), *BESIDE} - USUAL
        shown = [param.get_help_record(ctx) for param in self.get_params(ctx) if param.name not in left_out]
        options = [record for record in shown if record is not None and record[0].startswith("-")]
        with formatter.section("Options" if is_all else "Usual options"):
            formatter.write_dl(options, col_max=COLUMN_WIDTH)


def _show_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()
