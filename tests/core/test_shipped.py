"""Files that are shipped, and those of the user."""

from __future__ import annotations

from pathlib import Path

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.core.shipped import document_of, read_yaml, shipped


def test_studies_and_spaces_are_shipped() -> None:
    """In a checkout next to the package, by the names of their files."""
    assert {"demo", "piston_rod", "broaching", "bosch_cnc"} <= set(shipped("studies"))
    assert {"default", "quick", "tabular"} <= set(shipped("search_spaces"))
    assert shipped("nothing") == {}


def test_a_document_is_named_or_has_a_path(tmp_path: Path) -> None:
    """With the path that errors should name."""
    document, where = document_of("studies", "demo")
    assert isinstance(document, dict)
    assert where.endswith("demo.yaml")
    (tmp_path / "own.yaml").write_text("a: 1\n")
    assert document_of("studies", str(tmp_path / "own.yaml")) == ({"a": 1}, str(tmp_path / "own.yaml"))


def test_what_is_no_document_is_an_error(tmp_path: Path) -> None:
    """With a likely name, or with what to do with data."""
    with pytest.raises(StudyError, match="no 'dmo'") as raised:
        document_of("studies", "dmo")
    assert "demo" in raised.value.hint
    (tmp_path / "rows.csv").write_text("x\n1\n")
    with pytest.raises(StudyError, match="is not YAML") as raised:
        document_of("studies", str(tmp_path / "rows.csv"))
    assert "--data" in raised.value.hint
    (tmp_path / "torn.yaml").write_text("{")
    for name, said in (("torn.yaml", "is not YAML"), ("nothing.yaml", "there is no file")):
        with pytest.raises(StudyError, match=said):
            read_yaml(tmp_path / name)
