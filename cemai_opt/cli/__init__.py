"""The command line: one command per file. Slow imports are deferred until a command runs."""

from __future__ import annotations

import sys

import click

from cemai_opt.cli._commands import Commands
from cemai_opt.core.errors import CemaiError

PROGRAM = "cemai-opt"


@click.group(
    cls=Commands, package=__name__, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="cemai-opt", prog_name=PROGRAM)
def cli() -> None:
    """Finds machine-learning pipelines that score well and emit little carbon.

    \b
    cemai-opt optimize                                  the demo, no data needed
    cemai-opt optimize --data my.csv --target wear      your own data
    cemai-opt front runs/my                             the front of a run

    Exit status: 0 done, 1 a limit of `check` is broken, 2 bad input, 130 interrupted.
    """


def main() -> None:
    """Entry point of the console script and of `python -m cemai_opt`: bad input gives a message and exit status 2."""
    try:
        cli(prog_name=PROGRAM)
    except OSError as error:
        click.echo(f"error: {error.strerror or error}{f': {error.filename}' if error.filename else ''}", err=True)
        sys.exit(2)
    except CemaiError as error:
        click.echo(f"error: {error.message}", err=True)
        if error.hint:
            click.echo(f"  try: {error.hint}", err=True)
        sys.exit(2)
