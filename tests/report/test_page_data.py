"""What the script of the page is given, and what a reader can do with it in a browser."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cemai_opt.core.front import ParetoFront, Point
from cemai_opt.core.result import ScoredRows
from cemai_opt.report.html_report import html_report
from cemai_opt.report.page_data import page_data
from cemai_opt.runs.dummy import DummyScore
from cemai_opt.runs.recommendation import YearlyUse, recommendations_of, yearly_use
from cemai_opt.runs.run_view import RunView
from cemai_opt.runs.test_rows import TestRows
from tests.browser import chromium
from tests.report.test_html_report import inflated, view
from tests.results import run_of, stage, trial, view_of

MAX_MB, MAX_S = 2.0, 1.0
DUMMY = DummyScore(prediction="the mean", validation=0.0, test=0.0)
CARDS = "return [...document.querySelectorAll('[data-recommended] button')].map((b) => +b.dataset.trial)"
SET = "const s = document.getElementById(arguments[0]); s.value = arguments[1]; s.dispatchEvent(new Event('input'));"


def three_members() -> RunView:
    """One that is cheap to train and expensive to use, one in between, and one that is the other way round."""
    inference = [stage("inference", grams) for grams in (10.0, 0.5, 0.001)]
    trials = [
        trial(i, score, grams, model=model, inference=inference[i])
        for i, (score, grams, model) in enumerate([(0.7, 1.0, "ridge"), (0.85, 10.0, "dnn"), (0.9, 100.0, "lstm")])
    ]
    finals = {i: trial(i, 0.6, 1.0) for i in range(3)}
    return view_of(run_of(*trials, trial(3, 0.2, 50.0), finals=finals, dummy=DUMMY))


def test_the_document_is_safe_between_tags() -> None:
    """A name that would end the script does not; it is the same after it was read."""
    run = three_members()
    evil = replace(run.members[0], model="</script><script>alert(1)</script>")
    run = replace(run, front=replace(run.front, members=(evil, *run.members[1:])))
    text = page_data(run)
    assert "<" not in text
    assert json.loads(text)["members"][0]["model"] == evil.model


def test_every_complete_trial_is_there_once() -> None:
    """With its family, score and grams; members with their stages and configuration."""
    run = view()
    document = json.loads(page_data(run))
    assert sorted(point[0] for point in document["trials"]) == sorted(
        point.trial for point in (*run.complete, *run.curve_candidates)
    )
    member = next(m for m in document["members"] if m["trial"] == run.members[0].trial)
    assert sum(member["stages"].values()) == pytest.approx(member["grams"], rel=1e-3)
    assert member["config"]["train.model"] == run.members[0].model


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page of three members."""
    path = tmp_path / "report.html"
    path.write_text(html_report(three_members()), encoding="utf-8")
    return path


def best_for(run: RunView, use: YearlyUse) -> list[int]:
    """Greenest good, knee and best by grams a year, each trial once."""
    good = run.front.good.values()
    yearly = ParetoFront.of(Point(m.trial, m.validation - m.error, use.grams(m)) for m in good)
    return list(dict.fromkeys(point.trial for point in (yearly.members[0], yearly.knee, yearly.best)))


def test_at_first_it_shows_what_the_run_recommends(page: Path) -> None:
    """Also after another intensity was chosen, which changes grams only."""
    run = three_members()
    wanted = [each.member.trial for each in recommendations_of(run.front, yearly_use(run.study.objective))]
    with chromium() as browser:
        browser.get(page.as_uri())
        assert browser.get_log("browser") == []
        assert browser.execute_script(CARDS) == wanted
        before = browser.find_element("id", "recommended").text
        browser.execute_script(SET, "intensity", 0)
        assert browser.find_element("id", "recommended").text != before
        assert browser.execute_script(CARDS) == wanted
        assert "always the mean" in browser.find_element("id", "recommended").text


def test_sliders_move_the_recommendation(page: Path) -> None:
    """To the greenest good pipeline, the knee and the best one by grams a year."""
    run = three_members()
    with chromium() as browser:
        browser.get(page.as_uri())
        for retrainings, predictions in ((50, 0), (0, 60), (20, 40), (80, 80)):
            browser.execute_script(SET, "retrainings", retrainings)
            browser.execute_script(SET, "predictions", predictions)
            used = browser.execute_script("return use")
            use = YearlyUse(retrainings=used["retrainings"], predictions=used["predictions"])
            assert browser.execute_script(CARDS) == best_for(run, use), use


def test_pipelines_are_inspected_selected_and_compared(page: Path) -> None:
    """Hovering shows stages and configuration; a click or the keyboard selects; two are side by side."""
    with chromium() as browser:
        browser.get(page.as_uri())
        dots = "document.querySelectorAll('#plot circle.member')"
        browser.execute_script(f"{dots}[0].dispatchEvent(new Event('pointerenter'))")
        tip = browser.find_element("id", "tip")
        assert tip.is_displayed()
        assert "stages: train" in tip.text
        browser.execute_script(f"{dots}[0].dispatchEvent(new Event('pointerleave'))")
        assert not tip.is_displayed()
        browser.find_element("css selector", "circle.member[data-trial='0']").send_keys(" ")
        browser.find_element("css selector", "table.sortable tr[data-trial='2'] td").click()
        heads = [head.text for head in browser.find_elements("css selector", "#compare th")]
        assert heads == ["", "trial 0 (ridge)", "trial 2 (lstm)"]
        different = [row.text for row in browser.find_elements("css selector", "#compare tr.differs")]
        assert any(row.startswith("stage train") for row in different)
        assert any(row.startswith("train.size 0 2") for row in different)
        pressed = browser.find_elements("css selector", "circle[aria-pressed='true']")
        assert sorted(dot.get_attribute("data-trial") for dot in pressed) == ["0", "2"]


def test_the_table_and_the_picture_are_filtered(page: Path) -> None:
    """By text, by family, and to what may be recommended."""
    shown = "return [...document.querySelectorAll('table.sortable tbody tr')].filter((r) => !r.hidden).length"
    with chromium() as browser:
        browser.get(page.as_uri())
        assert browser.execute_script(shown) == 3
        browser.find_element("id", "filter").send_keys("LSTM")
        assert browser.execute_script(shown) == 1
        browser.find_element("id", "filter").clear()
        browser.execute_script("document.getElementById('filter').dispatchEvent(new Event('input'))")
        browser.find_element("css selector", "#legend label input").click()
        assert browser.execute_script(shown) == 2
        assert len(browser.find_elements("css selector", "#plot circle.member")) == 2


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_errors_are_drawn_from_test_rows(task: str, tmp_path: Path) -> None:
    """Predicted against true values and errors by group; or a confusion matrix that adds up, and calibration."""
    run = view(task)
    (tmp_path / "report.html").write_text(html_report(run), encoding="utf-8")
    assert run.test_rows is not None
    with chromium() as browser:
        browser.get((tmp_path / "report.html").as_uri())
        assert browser.get_log("browser") == []
        chosen = browser.execute_script("return document.getElementById('errors-of').value")
        rows = run.test_rows.members[int(chosen)]
        if task == "regression":
            assert len(browser.find_elements("css selector", "#error-figures circle.row")) == 2 * len(rows.y)
            assert len(browser.find_elements("css selector", "#error-figures rect.bar")) == len(set(rows.group))
        else:
            cells = [int(cell.text) for cell in browser.find_elements("css selector", "#confusion td")]
            n = len(run.test_rows.classes)
            assert sum(cells) == len(rows.y)
            assert sum(cells[:: n + 1]) == sum(y == value for y, value in zip(rows.y, rows.value, strict=True))


def test_a_thousand_trials_are_drawn_in_a_second() -> None:
    """With rows of three pipelines, in less than 2 MB."""
    run = inflated(view(), 1000)
    rng = np.random.default_rng(0)
    rows = ScoredRows(y=rng.normal(size=5000), value=rng.normal(size=5000), group=np.repeat(np.arange(50), 100))
    trials = [member.trial for member in run.members][:3]
    kept = TestRows.of(dict.fromkeys(trials, rows), classes=(), group_names=[f"group {i}" for i in range(50)])
    page = html_report(replace(run, test_rows=kept))
    assert len(page.encode()) < MAX_MB * 1e6
    measured = _drawing_s(page)
    assert measured["dots"] >= 500
    assert measured["ms"] < 1000 * MAX_S


def _drawing_s(page: str) -> dict[str, Any]:
    """Milliseconds of drawing everything once more, and the number of trials that are shown."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "report.html"
        path.write_text(page, encoding="utf-8")
        browser.get(path.as_uri())
        time.sleep(0.2)
        script = (
            "const t = performance.now(); draw(); return {ms: performance.now() - t, "
            "dots: document.querySelectorAll('#plot circle.trial').length}"
        )
        found: dict[str, Any] = browser.execute_script(script)
        return found


def test_a_printed_page_has_no_controls(page: Path) -> None:
    """And nothing that is cut off at the side."""
    with chromium(800) as browser:
        browser.get(page.as_uri())
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        for name in ("retrainings", "filter", "legend"):
            assert not browser.find_element("id", name).is_displayed()
        assert browser.find_element("id", "recommended").is_displayed()
