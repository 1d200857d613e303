"""Reads studies and averages from parsed YAML documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from pydantic import ValidationError

from cemai_opt.core.average import AVERAGE, AverageConfig, WeightedConfig
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.option import OPTION
from cemai_opt.core.serialization import from_json
from cemai_opt.core.study import ResolvedStudy, StudySpec

S = TypeVar("S", bound=StudySpec)


def parse_study(document: object, where: str) -> StudySpec:
    """The study in a parsed YAML document. StudyError with the invalid key and a suggestion.

    >>> parse_study({"serch": {}}, "a.yaml")
    Traceback (most recent call last):
    cemai_opt.core.errors.StudyError: a.yaml: unknown key 'serch' (did you mean 'search'?)
    """
    return _parsed(StudySpec, document, where=where)


def parse_study_file(document: object, where: str) -> StudySpec:
    """As `parse_study`, for a file, which may come from anybody. StudyError if it names a command or a host."""
    study = parse_study(document, where)
    for key, option in study.bound_to_machine.items():
        raise StudyError(f"{where}: {key} is taken from the command line only", f"give it with {option}")
    return study


def parse_resolved_study(document: object, where: str) -> ResolvedStudy:
    """The resolved study in a parsed YAML document. StudyError if a choice is open, or a key is unknown.

    A study of version 0.1.0 says nothing of `data.encode`: it left such columns out.
    """
    if isinstance(document, Mapping) and isinstance(document.get("data"), Mapping):
        document = {**document, "data": {"encode": False, **document["data"]}}
    return _parsed(ResolvedStudy, as_written_before(document), where=where)


def as_written_before(document: object) -> object:
    """A document in which every key was written, with the meaning of those that its version did not know yet."""
    if isinstance(document, Mapping) and isinstance(document.get("data"), Mapping):
        return {**document, "data": {"calendar": "never", "past_target": False, **document["data"]}}
    return document


def parse_average(document: object, where: str) -> AverageConfig:
    """The average in a parsed configuration file. StudyError with the key that is unknown, missing or wrong."""
    try:
        return from_json(AverageConfig, document)
    except ValidationError as error:
        fault = error.errors()[0]
        path = ".".join([AVERAGE, *map(str, fault["loc"])])
        if fault["type"] == "unexpected_keyword_argument":
            known = [field.name for kind in (AverageConfig, WeightedConfig) for field in fields(kind)]
            raise StudyError(f"{where}: unknown key {path!r}", nearest(path.rpartition(".")[2], known)) from error
        raise StudyError(f"{where}: {path}: {fault['msg']}", f"got {fault.get('input')!r}") from error


def _parsed(kind: type[S], document: object, *, where: str) -> S:
    if not isinstance(document, Mapping):
        raise StudyError(f"{where}: a study is a mapping of keys to values", "see studies/demo.yaml")
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        raise _readable(error, where) from error


def _readable(error: ValidationError, where: str) -> StudyError:
    fault = error.errors()[0]
    path = [str(step) for step in fault["loc"]]
    if fault["type"] == "extra_forbidden":
        return StudyError(f"{where}: unknown key {'.'.join(path)!r}", nearest(path[-1], _keys_at(path[:-1])))
    if fault["type"] == "value_error":  # raised by a validator of ours; its input may be secret
        return StudyError(f"{where}: {'.'.join(path)}: {fault['ctx']['error']}")
    return StudyError(f"{where}: {'.'.join(path)}{_option_of(path)}: {fault['msg']}", f"got {fault.get('input')!r}")


def _option_of(path: list[str]) -> str:
    """The option that sets a key, in brackets; empty if there is none."""
    model: Any = StudySpec
    for step in path[:-1]:
        fields_of = getattr(model, "model_fields", {})
        model = fields_of[step].annotation if step in fields_of else None
    field = getattr(model, "model_fields", {}).get(path[-1]) if path else None
    extra = getattr(field, "json_schema_extra", None) or {}
    return f" (--{extra[OPTION]['name'].replace('_', '-')})" if OPTION in extra else ""


def _keys_at(path: list[str]) -> list[str]:
    model: Any = StudySpec
    for step in path:
        model = model.model_fields[step].annotation
    return list(model.model_fields)
