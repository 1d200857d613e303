"""Serves Optuna's dashboard for a run, with access control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

    from cemai_opt.runs import RunFolder


@click.command()
@click.argument("run")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any free port.")
@click.option("--writable", is_flag=True, help="Let the dashboard write notes to the run's storage.")
@click.option("--storage", metavar="URL", help="The run's database, if it has one.")
def command(run: str, port: int, writable: bool, storage: str | None) -> None:
    """Serve Optuna's dashboard for the run in folder RUN, during the run or later, until Ctrl-C.

    It listens on this machine only, and requires the token in the printed address. From another machine, use a tunnel:
    ssh -L 8080:localhost:8080 MACHINE.
    """
    import secrets
    import warnings
    from pathlib import Path

    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.registry import need
    from cemai_opt.runs import RunFolder

    need("optuna_dashboard", "matplotlib", "jinja2")

    import optuna

    from cemai_opt.dashboard.access import AccessControl
    from cemai_opt.dashboard.published import PublishedStorage, dashboard_app
    from cemai_opt.dashboard.server import serve

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=UserWarning, module="optuna")  # on importances, each time they are shown
    folder = RunFolder(Path(run))
    published = PublishedStorage(_storage(folder, storage), folder)
    token = secrets.token_urlsafe(24)
    try:
        guarded = AccessControl(dashboard_app(published), token, is_writable=writable)
        with serve(guarded, port) as server:
            click.echo(f"http://127.0.0.1:{server.server_port}/dashboard?token={token}")
            click.echo("read and write" if writable else "read-only; use --writable to allow writing", err=True)
            server.serve_forever()
    except KeyboardInterrupt:
        click.echo("", err=True)
    except OSError as error:
        raise StudyError(f"port {port}: {error.strerror}", "choose another --port, or --port 0") from error


def _storage(folder: RunFolder, given: str | None) -> BaseStorage:
    """The storage of a run: the given database, or the journal in its folder.

    An address in the folder is not followed, because it may lead anywhere. StudyError if it is that of a database.
    """
    from cemai_opt.core.errors import StudyError
    from cemai_opt.search.storage import read_journal

    if given:
        from cemai_opt.search.storage.database import open_database, without_password

        return open_database(*without_password(given))
    address = folder.study().search.storage
    if address:
        raise StudyError(f"the run in {folder.path} is in a database, {address}", "give its address with --storage")
    return read_journal(folder.path)
