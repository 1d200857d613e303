"""Serves Optuna's dashboard on a run, guarded."""

from __future__ import annotations

import click


@click.command()
@click.argument("run")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0: any that is free.")
@click.option("--writable", is_flag=True, help="Let the dashboard write notes into the run's storage.")
@click.option("--storage", metavar="URL", help="The run's database with its password, if it has one.")
def command(run: str, port: int, writable: bool, storage: str | None) -> None:
    """Serve Optuna's dashboard on the run in folder RUN, while it runs or later, until Ctrl-C.

    It answers on this machine only, to who knows the token in the printed address. To see it from elsewhere, use a
    tunnel: ssh -L 8080:localhost:8080 MACHINE.
    """
    import secrets
    from pathlib import Path

    from cemai_opt.core.errors import StudyError
    from cemai_opt.core.registry import need
    from cemai_opt.report import RunFolder

    need("optuna_dashboard", "matplotlib", "jinja2")

    from cemai_opt.report.dashboard import PublishedStorage, dashboard_app
    from cemai_opt.report.guard import Guard
    from cemai_opt.report.server import serve
    from cemai_opt.search import open_database, read_journal, without_password

    folder = RunFolder(Path(run))
    address = folder.study().search.storage
    password = without_password(storage)[1] if storage else None
    beneath = open_database(address, password) if address else read_journal(folder.path)
    token = secrets.token_urlsafe(24)
    try:
        with serve(Guard(dashboard_app(PublishedStorage(beneath, folder)), token, writable), port) as server:
            click.echo(f"http://127.0.0.1:{server.server_port}/dashboard?token={token}")
            click.echo("read and write" if writable else "read-only; --writable lets it write", err=True)
            server.serve_forever()
    except KeyboardInterrupt:
        click.echo("", err=True)
    except OSError as error:
        raise StudyError(f"port {port}: {error.strerror}", "another one with --port, or --port 0") from error
