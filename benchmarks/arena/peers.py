"""Searches under one budget of grams: the product, and Optuna's samplers on the product's space and pipelines."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.arena.pipelines import Bench, OverBudgetError, cpu_limit, kept_metrics
from benchmarks.arena.result import Member, Result
from cemai_opt.core.scores import maximised

SEARCH_SHARE = 0.75
"""Other searches stop at this share of the budget; the rest is for retraining and testing their front."""
TEST_RUNS = 1.5
"""Estimated cost of retraining a member and testing it, in runs of its search."""
MAX_TRIALS = 100_000
POPULATION = 50

PRODUCT_ARMS: Mapping[str, tuple[str, ...]] = {
    "product": (),
    "product_1000": ("--trials", "1000"),
    "product_worth": ("--worth", "0.01 = 5mg"),
}
"""Options beyond the budget and the seed: none are the product's defaults."""
STOCK_ARMS = ("nsga2_stock", "tpe")
RULES = ("knee", "within", "best")
BASELINE = "baseline"


def portfolio_of(study: Path) -> Path:
    """The portfolio for a data set, which was learned from all other sources."""
    return study.with_name("portfolio.yaml")


def product_command(study: Path, *, arm: str, seed: int, budget_mg: float, out: Path) -> list[str]:
    """The command line of the product, without CodeCarbon's audit and the report, which are no part of its search."""
    settings = ["--seed", str(seed), "--budget-grams", f"{budget_mg / 1e3:g}", "--out", str(out)]
    settings += ["--portfolio", str(portfolio_of(study))]
    command = [sys.executable, "-m", "cemai_opt", "optimize", str(study), *settings, "--no-audit", "--no-report"]
    return [*command, *PRODUCT_ARMS[arm]]


def product_result(run: Path, *, arm: str, name: str, seed: int, budget_mg: float) -> Result:
    """The front of a run of the product with the untuned baseline, and its whole ledger."""
    from cemai_opt.runs import RunFolder

    folder = RunFolder(run)
    front, search = folder.front(), folder.summary().search
    members, offered = [], [member for member in front.table_members if not member.parts]
    for found in offered:
        final = found.final
        stages = final.stages if final is not None and found.test is not None else found.stages
        members.append(
            Member(
                model=found.model,
                config=found.config.mapping(),
                validation=found.validation,
                test=found.test,
                grams=sum(cost.carbon_g for stage, cost in stages.items() if stage != "explain"),
                metrics=kept_metrics(final.metrics) if final is not None else {},
            )
        )
    position = {found.trial: i for i, found in enumerate(offered)}
    picks = {rule: position[front.pick(rule).trial] for rule in RULES} if members else {}
    if front.baseline is not None:
        picks[BASELINE] = position[front.baseline.trial]
    return Result(
        set=name,
        arm=arm,
        seed=seed,
        budget_mg=budget_mg,
        score=front.score,
        members=tuple(members),
        picks=picks,
        trials=search.trials,
        run_grams=search.carbon_g,
        notes=folder.summary().notes[1:],
    )


def stock(study: Path, *, arm: str, seed: int, budget_mg: float) -> Result:
    """Optuna's ask-and-tell loop with one of its samplers, then the front by validation is retrained and tested."""
    bench = Bench(study, seed=seed)
    found = _searched(bench, arm, budget_g=SEARCH_SHARE * budget_mg / 1e3)
    members = _tested(bench, [member for member in found if member is not None], budget_g=budget_mg / 1e3)
    return Result(
        set=study.parent.name,
        arm=arm,
        seed=seed,
        budget_mg=budget_mg,
        score=maximised(bench.study.score),
        members=tuple(members),
        trials=len(found),
        run_grams=bench.spent_g,
    )


def _searched(bench: Bench, arm: str, *, budget_g: float) -> list[Member | None]:
    """A member per trial, with the grams of its search; None for a trial that failed. Stops in the midst of a trial."""
    import optuna

    from cemai_opt.search.samplers import SamplerContext, sampler_named
    from cemai_opt.search.suggest import suggest

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    context = SamplerContext(trials=MAX_TRIALS, seed=bench.study.seed, population=POPULATION)
    sampler = sampler_named(arm).build(bench.space, context)
    asked = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
    found: list[Member | None] = []
    try:
        with cpu_limit(bench.cpu_s(budget_g - bench.spent_g)):
            while bench.spent_g < budget_g:
                trial = asked.ask()
                member = _run(bench, suggest(trial, bench.space), number=trial.number)
                found.append(member)
                if member is None:
                    asked.tell(trial, state=optuna.trial.TrialState.FAIL)
                else:
                    asked.tell(trial, [member.validation or 0.0, member.grams])
    except OverBudgetError:
        pass
    return found


def _run(bench: Bench, params: Mapping[str, object], *, number: int) -> Member | None:
    """The validated member of one trial, or None if it failed."""
    config = bench.space.active(params)  # type: ignore[arg-type]  # values of hyperparameters
    result = bench.run(config, phase="search", number=number)
    if not result.is_complete or result.score is None:
        return None
    grams = bench.study.carbon.grams(result.cost.energy_j)
    return Member(model=config.model, config=config.mapping(), validation=result.score, test=None, grams=grams)


def _tested(bench: Bench, found: Sequence[Member], *, budget_g: float) -> list[Member]:
    """The front by validation, tested: the best member in any case, then the greenest first while the budget lasts."""
    from cemai_opt.core.front import ParetoFront, Point
    from cemai_opt.core.plan import Config

    points = [Point(i, member.validation or 0.0, member.grams) for i, member in enumerate(found)]
    front = [found[point.trial] for point in ParetoFront.of(points)]
    members = []
    for i, member in enumerate([*front[-1:], *front[:-1]]):
        fits = bench.spent_g + TEST_RUNS * member.grams <= budget_g
        tested = bench.tested(Config(member.config), validation=member.validation) if fits or i == 0 else member
        members.append(tested if isinstance(tested, Member) else member)
    return members
