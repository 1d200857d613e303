"""The command line: one command per file. Slow imports are deferred until a command runs."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import click

from cemai_opt.core.errors import CemaiError


class _Commands(click.Group):
    """The public modules of this package, each with a click command called `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cemai-opt", prog_name="cemai-opt")
def cli() -> None:
    """Finds machine-learning pipelines that score well and emit little carbon.

    \b
    cemai-opt optimize                                  the demo, no data needed
    cemai-opt optimize --data my.csv --target wear      your own data
    cemai-opt front runs/my                             the front of a run
    """


def main() -> None:
    """Entry point of the console script and of `python -m cemai_opt`: bad input gives a message and exit status 2."""
    try:
        cli(prog_name="cemai-opt")
    except OSError as error:
        click.echo(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", err=True)
        sys.exit(2)
    except CemaiError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  try: {error.hint}", err=True)
        sys.exit(2)
