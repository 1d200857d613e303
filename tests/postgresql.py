"""A private PostgreSQL server for tests and benchmarks: loopback, a folder of its own, gone afterwards."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "s3cret-Passw0rd"
ORDINARY = ("postgres", "nobody")
"""PostgreSQL refuses to run as root: one of these does instead."""


def programs() -> Path | None:
    """The folder of `initdb` and `postgres`; None where they are not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    folders += [Path(on_path).resolve().parent] if on_path else []
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Server:
    """One server with a database `studies`, which wants a password."""

    def __init__(self) -> None:
        self._bin = programs()
        assert self._bin is not None, "ask `programs` first"
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        self._user = None if os.geteuid() else next(name for name in ORDINARY if _is_user(name))
        if self._user:
            shutil.chown(self._folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        secret = self._folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        options = ["-U", "ada", "-A", "scram-sha-256", "--pwfile", secret, "-N", "--no-instructions"]
        self._run("initdb", "-D", self._folder / "data", *options)
        self.start()
        import psycopg

        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE studies")

    @property
    def address(self) -> str:
        """What `--storage` takes, password included."""
        return f"postgresql+psycopg://ada:{PASSWORD}@127.0.0.1:{self.port}/studies"

    def start(self) -> None:
        """Starts the server, and waits until it answers."""
        import psycopg

        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self._folder}"]
        settings += ["fsync=off", "max_connections=40"]
        command = [self._bin / "postgres", "-D", self._folder / "data", *(x for s in settings for x in ("-c", s))]
        with (self._folder / "log").open("a") as log:
            self._process = subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)
        end_s = time.monotonic() + 30.0
        while True:
            try:
                psycopg.connect(self._dsn("postgres")).close()
                return
            except psycopg.OperationalError:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.1)

    def stop(self) -> None:
        """Shuts it down at once; connections are cut."""
        self._process.send_signal(2)  # SIGINT: fast shutdown
        self._process.wait(timeout=30)

    def close(self) -> None:
        """Stops it and removes its folder."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _dsn(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=ada password={PASSWORD} dbname={database} connect_timeout=5"

    def _run(self, program: str, *arguments: object) -> None:
        assert self._bin is not None, "checked before"
        command = [str(self._bin / program), *map(str, arguments)]
        subprocess.run(command, user=self._user, cwd="/", check=True, capture_output=True)


def _is_user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
