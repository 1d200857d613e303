"""A front member that was picked for export, and its configuration as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cemai_opt.core.average import AVERAGE, AverageConfig, WeightedConfig
from cemai_opt.core.errors import StudyError
from cemai_opt.core.plan import TrialPlan
from cemai_opt.core.serialization import to_json
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.d2m import d2m_params
from cemai_opt.deploy.fitted import Recipe
from cemai_opt.deploy.model_document import PickedMember
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_folder import RunFolder
from cemai_opt.stages.featurize import ROLLING, TREND


@dataclass(frozen=True, kw_only=True)
class Picked:
    """A front member that was picked by a rule or by its trial number, with the run that it comes from.

    `parts` are the members that an average consists of, with their weights; a single pipeline is its own only part.
    """

    folder: RunFolder
    study: ResolvedStudy
    score: str
    rule: str
    member: FrontMember
    parts: tuple[tuple[float, FrontMember], ...]

    def config_document(self) -> dict[str, Any]:
        """The contents of `config.yaml`, which `cemai-opt run` accepts."""
        return {"picked": to_json(self.summary()), **self._pipelines(), "study": self.study.to_json()}

    def _pipelines(self) -> dict[str, Any]:
        if not self.member.parts:
            return {"config": self.member.config.mapping()}
        parts = tuple(WeightedConfig(weight=weight, config=part.config) for weight, part in self.parts)
        return {AVERAGE: to_json(AverageConfig(threshold=self.member.threshold, parts=parts))}

    def summary(self) -> PickedMember:
        """The member, the rule that picked it, and its scores and cost."""
        return PickedMember(
            rule=self.rule,
            score=self.score,
            trial=self.member.trial,
            model=self.member.model,
            validation=self.member.validation,
            test=self.member.test,
            carbon_g=self.member.carbon_g,
            uncertainty_g=self.member.uncertainty_g,
            parts=self.member.parts,
        )

    def recipe(self, study: ResolvedStudy) -> Recipe:
        """What an export trains."""
        return Recipe(
            plans=self.plans(study),
            weights=[weight for weight, _ in self.parts],
            threshold=self.member.threshold,
            is_average=bool(self.member.parts),
        )

    def plans(self, study: ResolvedStudy) -> list[TrialPlan]:
        """The plan of the test of each part, without explanations."""
        stages = tuple(name for name in self.folder.space().stages if name != "explain")
        return [
            TrialPlan(
                trial=part.trial,
                study=study,
                config=part.config,
                phase="final",
                stages=stages,
                folds=1,
                keeps_rows=bool(self.member.parts),
            )
            for _, part in self.parts
        ]


def pick(folder: RunFolder, rule: str, *, tolerance: float | None = None) -> Picked:
    """The front member given by a rule ("knee", "best", "within", "greenest") or a trial number, or the "average".

    StudyError if there is none.
    """
    front = folder.front()
    member = front.pick(rule, tolerance)
    parts = tuple(front.parts_of(member))
    return Picked(folder=folder, study=folder.study(), score=front.score, rule=rule, member=member, parts=parts)


def d2m_document(picked: Picked, rows: Dataset) -> tuple[dict[str, Any], list[str]]:
    """The member in the layout of d2m, and what that layout cannot express. StudyError for an average."""
    if picked.member.parts:
        trial = picked.parts[0][1].trial
        raise StudyError("d2m has no average of several pipelines", f"export one of its parts: --pick {trial}")
    config = picked.member.config
    feature = config.params("featurize")
    added = (*ROLLING[str(feature.get("rolling", "none"))], *TREND[str(feature.get("trend", "none"))])
    added = (*added, *(["peak_frequency"] if feature.get("peak_frequency") else []))
    variables = tuple(column.name for column in rows.schema.columns)
    return d2m_params(picked.study, config, target=rows.schema.target, variables=variables, added=added)
