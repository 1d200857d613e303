"""The answer of a worker to a plan, as JSON values: a result, or an error that is not the trial's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cemai_opt.core import errors
from cemai_opt.core.errors import CemaiError
from cemai_opt.core.result import TrialResult
from cemai_opt.core.serialization import from_json, to_json

RESULT, FAULT = "result", "fault"


def result_answer(result: TrialResult) -> dict[str, Any]:
    """The answer that holds a result."""
    return {RESULT: to_json(result)}


def fault_answer(error: CemaiError) -> dict[str, Any]:
    """The answer that holds an error."""
    return {FAULT: type(error).__name__, "message": error.message, "hint": error.hint}


def result_in(answer: Mapping[str, Any]) -> TrialResult:
    """The result in an answer. If it holds an error instead, raises it as it was raised in the worker."""
    if FAULT in answer:
        raise getattr(errors, answer[FAULT])(answer["message"], answer["hint"])
    return from_json(TrialResult, answer[RESULT])
