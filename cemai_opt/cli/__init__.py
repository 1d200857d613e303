"""The command line: one command per file. Slow imports are deferred until a command runs."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from cemai_opt.cli._commands import Commands
from cemai_opt.core.errors import CemaiError

PROGRAM = "cemai-opt"
BAD_INPUT, INTERRUPTED = 2, 130


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
        sys.exit(cli.main(prog_name=PROGRAM, standalone_mode=False))
    except CemaiError as error:
        _fail(error.message, error.hint)
    except click.UsageError as error:
        _fail(error.format_message(), f"{error.ctx.command_path if error.ctx else PROGRAM} --help")
    except click.ClickException as error:
        _fail(error.format_message())
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # `| head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains at its end
        sys.exit(1)
    except OSError as error:
        _fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")


def _fail(message: str, hint: str | None = None) -> NoReturn:
    """Says what is wrong and what to try, and ends this process."""
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"  try: {hint}", err=True)
    sys.exit(BAD_INPUT)
