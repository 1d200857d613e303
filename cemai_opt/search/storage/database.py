"""A database that the drivers of one study share, and that may be unavailable for a while."""

from __future__ import annotations

import logging
import os
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import optuna
from optuna.exceptions import ExperimentalWarning, StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage, fail_stale_trials
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    IntegrityError,
    OperationalError,
    PendingRollbackError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.exc import NoSuchModuleError as NoSuchDialectError

from cemai_opt.core.errors import StudyError
from cemai_opt.search.storage.delegating import DelegatingStorage
from cemai_opt.search.storage.study import retry_once

HEARTBEAT_S, GRACE_S = 10, 60
"""Interval of a driver's heartbeats, and how long after the last one its trials count as abandoned and are retried."""
MAX_OUTAGE_S = 300.0
"""How long to wait for a database that is being restarted."""
RETRY_S, TRIES = 0.5, 6
PASSWORD = "CEMAI_OPT_STORAGE_PASSWORD"
"""Environment variable of the password, needed if neither the address nor the database's own client provides it."""
T = TypeVar("T")

log = logging.getLogger(__name__)


def without_password(address: str) -> tuple[str, str | None]:
    """The address of a database without its password, safe to show and to store, and the password.

    StudyError if it contains another secret, such as that of a key.

    >>> without_password("postgresql+psycopg://ada:secret@db/studies")
    ('postgresql+psycopg://ada@db/studies', 'secret')
    >>> without_password("postgresql+psycopg://db/studies?user=ada&password=secret")
    ('postgresql+psycopg://db/studies?user=ada', 'secret')
    """
    url = _url(address)
    password, query = url.password, dict(url.query)
    for key in [key for key in query if "pass" in key.lower()]:
        if key.lower() != "password" or password is not None:
            raise StudyError(f"--storage must not contain {key}", "use the environment or the client's own file for it")
        password = str(query.pop(key))
    shown = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, query)
    return shown.render_as_string(hide_password=False), password


def open_database(address: str, password: str | None) -> PatientStorage:
    """Optuna's storage at an address without password. StudyError if it cannot be reached or used."""
    url = _url(address)
    password = password or os.environ.get(PASSWORD)
    if password is not None:
        url = url.set(password=password)
    for i in range(1 + TRIES):
        try:
            return PatientStorage(_opened(url.render_as_string(hide_password=False)))
        except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, ValueError, RuntimeError) as error:
            if i < TRIES and isinstance(error, (IntegrityError, ProgrammingError)):
                time.sleep(RETRY_S)  # another driver is creating the tables at this moment
                continue
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            reason = reason if password is None else reason.replace(password, "***")
            raise StudyError(f"cannot open {address}: {reason}", "is the server up, and is the name right?") from None
    raise AssertionError("the last try returns or raises")


def _opened(address: str) -> RDBStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return RDBStorage(
            address,
            engine_kwargs={"pool_pre_ping": True},  # a connection that a restart has cut is noticed before it is used
            heartbeat_interval=HEARTBEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=retry_once,
        )


def _url(address: str) -> URL:
    try:
        return make_url(address)
    except (ArgumentError, NoSuchDialectError, ValueError):
        raise StudyError(
            "--storage is not the address of a database", "such as postgresql+psycopg://user@host/database"
        ) from None


class PatientStorage(DelegatingStorage):
    """Optuna's database storage; its calls wait while the database is being restarted."""

    def __init__(self, database: RDBStorage) -> None:
        super().__init__(optuna.storages.get_storage(database))
        self._database = database

    def call(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """The result of one operation, retried while the database is unavailable."""
        has_failed = False

        def run() -> Any:
            nonlocal has_failed
            try:
                return getattr(self.inner, operation)(*args, **kwargs)
            except UpdateFinishedTrialError:
                if has_failed:  # the first try had reached the database, only its answer was lost
                    return True
                raise
            except (StorageInternalError, SQLAlchemyError):
                has_failed = True
                raise

        return self._patiently(run)

    def record_heartbeat(self, study_name: str, number: int) -> None:
        """Records that a trial is still running."""
        study_id = self.get_study_id_from_name(study_name)
        trial_id = self.get_trial_id_from_study_id_trial_number(study_id, number)
        self._patiently(lambda: self._database.record_heartbeat(trial_id))

    def fail_stale_trials(self, study_name: str) -> None:
        """Fails trials whose driver has sent no heartbeat for `GRACE_S`, and enqueues them once more."""

        def run() -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)
                fail_stale_trials(optuna.load_study(study_name=study_name, storage=self.inner))

        self._patiently(run)

    def exclusively(self, name: str, action: Callable[[], T]) -> T:
        """The result of `action`, under a lock `name` that all drivers share; without a lock except on PostgreSQL."""
        if self._database.engine.dialect.name != "postgresql":
            return action()

        def run() -> T:
            with self._database.engine.begin() as connection:
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
                return action()

        return self._patiently(run)

    def _patiently(self, action: Callable[[], T]) -> T:
        end_s = time.monotonic() + MAX_OUTAGE_S
        while True:
            try:
                return action()
            except (StorageInternalError, SQLAlchemyError) as error:
                if not _is_away(error) or time.monotonic() > end_s:
                    raise
                log.warning("the database is unavailable, trying again: %s", type(error).__name__)
                self._database.remove_session()
                time.sleep(RETRY_S)


def _is_away(error: BaseException) -> bool:
    """Whether the connection failed, rather than the operation."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, (DBAPIError, PendingRollbackError)):
        cause = cause.__cause__
    is_cut = isinstance(cause, DBAPIError) and cause.connection_invalidated
    return is_cut or isinstance(cause, (OperationalError, PendingRollbackError))
