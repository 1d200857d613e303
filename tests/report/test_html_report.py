"""The page about a run, as a reader meets it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from cemai_opt.report.figures import all_figures
from cemai_opt.report.html_report import html_report, write_report
from cemai_opt.runs import RunFolder
from cemai_opt.runs.run_view import RunView
from tests.browser import chromium
from tests.conftest import Cli
from tests.finished import finished_run

MAX_MB = 2


def view(task: str = "regression") -> RunView:
    return RunView.of(RunFolder(finished_run(task).path))


def inflated(run: RunView, n_trials: int) -> RunView:
    """The run with copies of its trials under new numbers, as if it had been that long."""
    last = max(result.trial for result in run.results)
    copies = [run.results[i % len(run.results)] for i in range(n_trials - len(run.results))]
    more = [replace(result, trial=last + 1 + i) for i, result in enumerate(copies)]
    history = run.summary.search.hypervolume_history
    longer = (*history, *(replace(history[-1], trial=result.trial) for result in more))
    summary = replace(run.summary, search=replace(run.summary.search, hypervolume_history=longer))
    return replace(run, results=[*run.results, *more], summary=summary)


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_a_page_needs_nothing_but_itself(task: str) -> None:
    """No address is loaded, every figure has a title, labelled axes and words for who cannot see it."""
    page = html_report(view(task))
    links = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    assert "@import" not in page
    assert all(target.startswith("#") for target in re.findall(r"url\(([^)]*)\)", page))
    assert page.count("<svg") == page.count('role="img" aria-label=') == len(all_figures(view(task)))
    for figure in all_figures(view(task)):
        assert figure.title
        assert len(figure.alt) > 20
        for ax in figure.figure.axes:
            if ax.get_label() == "<colorbar>":
                assert ax.get_ylabel()
                continue
            assert ax.get_title(loc="left")
            assert ax.get_xlabel() or ax.get_xticklabels()


def test_a_page_tells_everything_that_was_found() -> None:
    """Every member with every stage, the ledger, payback, machine, meter and its uncertainty, what to know first."""
    run = view()
    page = html_report(run)
    for member in run.members:
        assert f"trial {member.trial} ({member.model})" in page
    for word in (*run.stages, "uncertainty"):
        assert word in page
    for fact in (run.summary.machine.cpu, "carbon intensity", "footprint", "versions", *run.summary.notes):
        assert fact.replace("'", "&#39;") in page
    for entry in run.summary.search.carbon_g_by.entry:
        assert f"<td>{entry}</td>" in page


def test_names_from_the_data_are_words_and_no_markup() -> None:
    """A study, a note or a column that looks like HTML is shown as it is written."""
    run = view()
    evil = "<img src=x onerror=alert(1)>"
    summary = replace(run.summary, notes=(evil,))
    page = html_report(replace(run, summary=summary))
    assert evil not in page
    assert "&lt;img src=x" in page


def test_a_thousand_trials_make_a_page_of_a_few_megabytes() -> None:
    """Under 2 MB, all of them in the figures."""
    run = inflated(view(), 1000)
    assert len(run.results) == 1000
    page = html_report(run)
    assert len(page.encode()) < MAX_MB * 1e6
    assert len(run.complete) >= 500


def test_a_run_without_a_member_has_a_page(tmp_path: Path) -> None:
    """It says so, instead of failing."""
    run = view()
    front = replace(run.front, members=(), knee_trial=None, payback=(), baseline=None)
    page = html_report(replace(run, front=front))
    assert "<svg" not in page


def test_the_command_writes_a_page_and_figures_for_papers(cli: Cli, tmp_path: Path) -> None:
    """report.html, front.png and front.svg, in the run's folder or another; without a run one message."""
    done = cli("report", finished_run("regression").path, "--out", "there", "--json")
    assert done.returncode == 0, done.stderr
    files = [Path(name) for name in json.loads(done.stdout)["files"]]
    assert [file.name for file in files] == ["report.html", "front.png", "front.svg"]
    assert (tmp_path / files[1]).read_bytes().startswith(b"\x89PNG")
    assert "var(--" not in (tmp_path / files[2]).read_text()
    failed = cli("report", "nowhere")
    assert failed.returncode == 2
    assert "holds no run" in failed.stderr


def test_optimize_ends_with_the_page(cli: Cli, wear_csv: Path, tmp_path: Path) -> None:
    """And says what writing it has cost."""
    options = ("--target", "tool_wear", "--group", "run", "--space", "quick", "--trials", 3, "--confirm", 0)
    done = cli("optimize", "--data", wear_csv, *options, "--no-audit", "--report", "--out", "run")
    assert done.returncode == 0, done.stderr
    assert "see report.html there (writing it: " in done.stdout
    assert (tmp_path / "run" / "report.html").is_file()


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["wide", "dark", "phone"])
def test_a_browser_shows_it(width: int, dark: bool, tmp_path: Path) -> None:
    """From disk: no message, no request elsewhere, nothing wider than the window, readable on its ground; it sorts."""
    write_report(RunFolder(finished_run("regression").path), tmp_path)
    with chromium(width, 1400, dark) as browser:
        browser.get((tmp_path / "report.html").as_uri())
        assert browser.get_log("browser") == []
        asked = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        asked = [m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"]
        assert all(url.startswith(("file:", "data:")) for url in asked)
        assert browser.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
        style = "const s = getComputedStyle({}); return [s.color, s.backgroundColor, s.fill]"
        ink, ground, _ = browser.execute_script(style.format("document.body"))
        fill = browser.execute_script(style.format("document.querySelector('#plot text')"))[2]
        assert contrast(ink, ground) > 7
        assert contrast(fill, ground) > 7
        figure = browser.execute_script("return document.querySelector('#plot svg').getBoundingClientRect().toJSON()")
        assert figure["width"] > 0.75 * min(width, 480)
        assert figure["height"] > 100
        heading = browser.find_element("xpath", "//th/button[text()='validation']")
        shown = "return [...document.querySelectorAll('table.sortable tbody tr')].map(r => +r.cells[2].dataset.value)"
        for direction in (1, -1):
            heading.click()
            scores = browser.execute_script(shown)
            assert scores == sorted(scores, key=lambda score: direction * score)


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two CSS colours: WCAG 2.1, 1.4.3."""

    def luminance(color: str) -> float:
        channels = [int(c) / 255 for c in re.findall(r"\d+", color)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
