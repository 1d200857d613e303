"""The configuration file of an exported model is strict, like a study file."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.average import AverageConfig
from cemai_opt.core.config_file import read_config_file
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import Config

PIPELINE = "config: {train: {model: ridge}}"


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    return path


def test_a_pipeline_and_its_study_are_read(tmp_path: Path) -> None:
    """Without a study, with a default one."""
    study, config = read_config_file(written(tmp_path, f"study: {{data: {{target: wear}}}}\n{PIPELINE}"))
    assert study.data.target == "wear"
    assert config == Config({"train": {"model": "ridge"}})
    assert read_config_file(written(tmp_path, PIPELINE))[0].data.target is None


def test_an_average_is_read(tmp_path: Path) -> None:
    """Its parts, each with its weight."""
    part = "{weight: 1.0, config: {train: {model: ridge}}}"
    _, average = read_config_file(written(tmp_path, f"average: {{parts: [{part}]}}"))
    assert isinstance(average, AverageConfig)
    assert average.weights == [1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "holds no configuration"),
        ("study: {}", "holds no configuration"),
        (f"{PIPELINE}\naverage: {{parts: []}}", "or several"),
        (f"{PIPELINE}\nstudie: {{}}", "unknown key 'studie'.*'study'"),
        ("config: ridge", "not a mapping of stages"),
        ("config: {train: ridge}", "not a mapping of stages"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    """The key at fault, and the nearest known one."""
    with pytest.raises(StudyError, match=message):
        read_config_file(written(tmp_path, text))
