"""A database that the drivers of one study share, and that may be away for a while."""

from __future__ import annotations

import functools
import os
import time
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
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
from cemai_opt.search.storage import try_again

BEAT_S, GRACE_S = 10, 60
"""So often a driver says that its trials run; after so long without a word they are taken for dead, and tried again."""
PATIENCE_S = 300.0
"""A database that is restarted is waited for this long."""
RETRY_S, TRIES = 0.5, 6
PASSWORD = "CEMAI_OPT_STORAGE_PASSWORD"
"""Environment variable: the password, where it is neither in the address nor known to the database's own client."""
F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def without_password(address: str) -> tuple[str, str | None]:
    """The address of a database as it may be shown and written, and the password that was in it.

    >>> without_password("postgresql+psycopg://ada:secret@db/studies")
    ('postgresql+psycopg://ada@db/studies', 'secret')
    """
    url = _url(address)
    shown = URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    return shown.render_as_string(hide_password=False), url.password


def open_database(address: str, password: str | None) -> PatientStorage:
    """Optuna's storage at an address without password. StudyError where it cannot be reached or used."""
    warnings.filterwarnings("ignore", message="Heartbeat of storage")  # an exchange sends them
    url = _url(address)
    password = password or os.environ.get(PASSWORD)
    if password is not None:
        url = url.set(password=password)
    for i in range(1 + TRIES):
        try:
            return _opened(url.render_as_string(hide_password=False))
        except (SQLAlchemyError, optuna.exceptions.OptunaError, ImportError, ValueError, RuntimeError) as error:
            if i < TRIES and isinstance(error, (IntegrityError, ProgrammingError)):
                time.sleep(RETRY_S)  # another driver is making the tables at this moment
                continue
            reason = " ".join(str(error.__cause__ or error).split())[:200]
            reason = reason if password is None else reason.replace(password, "***")
            raise StudyError(f"cannot open {address}: {reason}", "is the server there, and the name right?") from None
    raise AssertionError("the last try returns or raises")


def _opened(address: str) -> PatientStorage:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return PatientStorage(
            address,
            engine_kwargs={"pool_pre_ping": True},  # a connection that a restart has cut is noticed before it is used
            heartbeat_interval=BEAT_S,
            grace_period=GRACE_S,
            heartbeat_stale_trial_callback=try_again,
        )


def _url(address: str) -> URL:
    try:
        return make_url(address)
    except (ArgumentError, NoSuchDialectError, ValueError):
        raise StudyError(
            "--storage is not the address of a database", "such as postgresql+psycopg://user@host/database"
        ) from None


def _patient(method: F) -> F:
    """The same method, tried again while the database is away."""

    @functools.wraps(method)
    def tried(self: Any, *arguments: Any, **options: Any) -> Any:
        end_s = time.monotonic() + PATIENCE_S
        has_failed = False
        while True:
            try:
                return method(self, *arguments, **options)
            except optuna.exceptions.UpdateFinishedTrialError:
                if has_failed:  # the first try had reached the database, its answer was lost
                    return True
                raise
            except (optuna.exceptions.StorageInternalError, SQLAlchemyError) as error:
                if not _is_away(error) or time.monotonic() > end_s:
                    raise
                has_failed = True
                self.remove_session()
                time.sleep(RETRY_S)

    return tried  # type: ignore[return-value]  # the same signature


def _is_away(error: BaseException) -> bool:
    """Is it the connection that failed, rather than what was asked?"""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, (DBAPIError, PendingRollbackError)):
        cause = cause.__cause__
    is_cut = isinstance(cause, DBAPIError) and cause.connection_invalidated
    return is_cut or isinstance(cause, (OperationalError, PendingRollbackError))


class PatientStorage(RDBStorage):
    """Optuna's database storage, whose calls wait while the database is being restarted."""

    def exclusively(self, name: str, action: Callable[[], T]) -> T:
        """What `action` returns, while no other driver is in the part that is called `name`; PostgreSQL sees to it."""
        if self.engine.dialect.name != "postgresql":
            return action()
        with self.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
            return action()


for _name in (
    "exclusively",
    "_create_new_trial",
    "_get_stale_trial_ids",
    "_get_trials",
    "_set_trial_param",
    "get_all_studies",
    "get_study_directions",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_system_attrs",
    "get_study_user_attrs",
    "get_trial",
    "record_heartbeat",
    "set_study_system_attr",
    "set_study_user_attr",
    "set_trial_state_values",
    "set_trial_system_attr",
    "set_trial_user_attr",
):
    setattr(PatientStorage, _name, _patient(getattr(PatientStorage, _name)))
