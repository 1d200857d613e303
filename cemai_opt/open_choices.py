"""Resolves by its data what a study leaves open: the split, the search space, the portfolio and the score."""

from __future__ import annotations

import numpy as np

from cemai_opt.core.batch import last_rows
from cemai_opt.core.errors import StudyError
from cemai_opt.core.scores import ERRORS, REGRESSION_SCORES, skill
from cemai_opt.core.space import Params
from cemai_opt.core.study import ResolvedSplit, SplitSpec, StudySpec
from cemai_opt.datasets import Dataset
from cemai_opt.pipeline import Splits, hides_extrapolation, resolve_split
from cemai_opt.pipeline.row_order import has_order, is_series
from cemai_opt.pipeline.splits import can_be_in_blocks
from cemai_opt.spaces import SHIPPED_PORTFOLIO, load_portfolio, unthinned

AUTO_SPACE, ORDERED_SPACE, INDEPENDENT_SPACE = "auto", "default", "tabular"
"""The first stands for one of the others: rows that are shuffled have no earlier rows to compute features from."""
INDEPENDENT_NOTE = "no features of earlier rows are searched (--space default does)"
INDEPENDENT = ("rows", "blocks")
"""Splits of rows that have no earlier ones."""
MAX_UNTHINNED = 20_000
"""With more rows, half of them rank families as well, and all would make a forest too expensive to be tried first."""
NO_ORDER_NOTE = "no row tells anything of the next ones, so their order counts for nothing (if it does: --split time)"
UNKNOWN_ORDER_NOTE = (
    "rows are like those before them, and nothing says why: scores are for new rows from among these. If rows go on in "
    "time, give --time COL (or --split time); if they are of machines or experiments, --group COL: otherwise scores "
    "are too good. If somebody has sorted them, give --split rows: otherwise scores are too low"
)


def split_of(study: StudySpec, data: Dataset) -> tuple[ResolvedSplit, tuple[str, ...]]:
    """The split without open choices, and notes: first on the split, then on the order of rows and what follows.

    StudyError if the data cannot be split so.
    """
    wanted, notes = _independent(_explorable(study), study.space, data=data)
    split, note = resolve_split(data, wanted)
    space_note = (INDEPENDENT_NOTE,) if study.space == AUTO_SPACE and _is_independent(data, split) else ()
    return split, (note, *notes, *space_note)


def _explorable(study: StudySpec) -> SplitSpec:
    """The study's split; without exploration if candidates are not measured again, or only last rows are scored."""
    if study.search.confirm and study.score != "rmse_last":
        return study.split
    if study.split.explore_rows:
        why = "--confirm 0" if not study.search.confirm else "--score rmse_last"
        raise StudyError(f"--explore-rows does not work with {why}", "leave one of them out")
    return study.split.model_copy(update={"explore_rows": 0})


def _independent(split: SplitSpec, space: str, *, data: Dataset) -> tuple[SplitSpec, tuple[str, ...]]:
    """The split, and a note, where nothing is said of the order of rows: of rows, or of blocks if they have an order.

    A file that is sorted by a class or by a manufacturer looks like a series, but its last rows are no test of others:
    docs/decisions/tables.md.
    """
    if split.by != "auto" or data.has_groups or data.has_time or space not in (INDEPENDENT_SPACE, AUTO_SPACE):
        return split, ()
    if space == INDEPENDENT_SPACE:
        return split.model_copy(update={"by": "rows"}), ()
    if is_series(data):
        return split, ()
    is_ordered = has_order(data)
    by = "blocks" if is_ordered and can_be_in_blocks(data) else "rows"
    return split.model_copy(update={"by": by}), (UNKNOWN_ORDER_NOTE if is_ordered else NO_ORDER_NOTE,)


def portfolio_of(name: str, data: Dataset, *, split: ResolvedSplit) -> tuple[Params, ...]:
    """The configurations to run first; only rows that are like their neighbours may be left out by shipped ones."""
    portfolio = load_portfolio(name)
    is_whole = name == SHIPPED_PORTFOLIO and _is_independent(data, split) and len(data.y) <= MAX_UNTHINNED
    return unthinned(portfolio) if is_whole else portfolio


def _is_independent(data: Dataset, split: ResolvedSplit) -> bool:
    """Whether no row has earlier ones to compute features from."""
    return split.by in INDEPENDENT and not (data.has_groups or data.has_time)


def space_of(space: str, data: Dataset, *, split: ResolvedSplit) -> str:
    """The name or path of the search space."""
    if space != AUTO_SPACE:
        return space
    return INDEPENDENT_SPACE if _is_independent(data, split) else ORDERED_SPACE


def score_of(study: StudySpec, data: Dataset) -> str:
    """The score to maximise. StudyError if it does not fit the target."""
    is_class = data.task == "classification"
    if study.score == "auto":
        return "r2" if not is_class else "f1" if len(data.classes) == 2 else "f1_macro"
    if (study.score in REGRESSION_SCORES) == is_class:
        raise StudyError(f"score {study.score!r} does not fit a {data.task}", "leave --score out, or change --task")
    if study.score == "f1" and len(data.classes) != 2:
        raise StudyError(f"f1 needs two classes, the target has {len(data.classes)}", "use --score f1_macro")
    if study.score == "rmse_last" and len(np.unique(data.group)) < 2:
        raise StudyError("rmse_last is that of the last row of each group, and there are no groups", "give --group")
    return study.score


def split_details(data: Dataset, splits: Splits, *, split: ResolvedSplit) -> str:
    """What follows the note on the split: which rows are explored, what is known of the target, what is confirmed."""
    text = ""
    if splits.explored is not None:
        text += f"; trials explore on {int(splits.explored.sum())} rows, candidates run on all (see --explore-rows)"
    if data.horizon:
        target = data.schema.target
        role = "an input (--no-past-target)" if target in data.schema.input_columns else "no input"
        text += f"; the present value of {target!r} is {role}"
    if hides_extrapolation(data, split):
        text += "; so few do not show how a model extrapolates, so the untuned baseline is one that does not"
    if split.by == "time":
        text += "; rows to predict continue these series: no feature of a series' start is searched"
    return f"{text}; the scores of the front are confirmed on {len(splits.confirm)} other folds"


def check_last_rows(data: Dataset, splits: Splits) -> None:
    """StudyError unless several groups have last rows to be scored, in all validation folds together and in the test.

    A single error has no skill: its constant prediction is the target itself.
    """
    validated = np.any([fold.is_eval for fold in splits.search], axis=0)
    for name, rows in (("validation", validated), ("test", splits.final.is_eval)):
        if len(np.unique(data.group[rows & data.has_target])) < 2:
            raise StudyError(
                f"rmse_last needs at least two groups of {name} rows", "use more groups or another --score"
            )


def score_notes(score: str, data: Dataset, *, splits: Splits) -> tuple[str, ...]:
    """What a score judges, where its name does not say it."""
    if score not in ERRORS:
        return ()
    notes = [f"score: the search maximises {skill(score)} = 1 - {score} / {score} of predicting the mean"]
    rows = np.flatnonzero(~splits.test & data.has_target)
    if score == "rmse_last" and len(np.unique(data.y[rows][last_rows(data.group[rows])])) == 1:
        notes.append("the last target of every group of the search is the same: rmse_last judges only such rows")
    return tuple(notes)
