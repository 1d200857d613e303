"""Where Optuna keeps a study: a journal in the run folder, or a database that several drivers share.

`database` is imported only where a database is used, because it loads SQLAlchemy.
"""

from cemai_opt.search.storage.study import JOURNAL, open_study, read_journal

__all__ = ["JOURNAL", "open_study", "read_journal"]
