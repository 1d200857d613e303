"""Reads the configuration file of an exported model."""

from __future__ import annotations

from pathlib import Path

from cemai_opt.core.average import AVERAGE, AverageConfig
from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.plan import Config
from cemai_opt.core.shipped import read_yaml
from cemai_opt.core.study import StudySpec
from cemai_opt.core.study_file import as_written_before, parse_average, parse_study

KEYS = ("picked", "config", AVERAGE, "study")


def read_config_file(path: Path) -> tuple[StudySpec, Config | AverageConfig]:
    """The study and the pipeline, or the average, in a `config.yaml`. StudyError with the key that is wrong."""
    document = read_yaml(path)
    if not isinstance(document, dict) or ("config" in document) == (AVERAGE in document):
        raise StudyError(f"{path} holds no configuration, or several", "write one with `export`")
    for key in document:
        if key not in KEYS:
            raise StudyError(f"{path}: unknown key {key!r}", nearest(str(key), KEYS))
    study = parse_study(as_written_before(document.get("study") or {}), str(path))
    if AVERAGE in document:
        return study, parse_average(document[AVERAGE], str(path))
    stages = document["config"]
    if not isinstance(stages, dict) or not all(isinstance(params, dict) for params in stages.values()):
        raise StudyError(
            f"{path}: config is not a mapping of stages to hyperparameters", "write config: {train: {model: ridge}}"
        )
    return study, Config(stages)
