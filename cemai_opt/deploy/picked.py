"""A front member that was picked for export, and its configuration as a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cemai_opt.core.plan import Config, TrialPlan
from cemai_opt.core.serialization import to_json
from cemai_opt.core.study import ResolvedStudy
from cemai_opt.datasets import Dataset
from cemai_opt.deploy.d2m import d2m_params
from cemai_opt.deploy.model_document import PickedMember
from cemai_opt.runs.front_member import FrontMember
from cemai_opt.runs.run_folder import RunFolder
from cemai_opt.stages.featurize import ROLLING, TREND


@dataclass(frozen=True, kw_only=True)
class Picked:
    """A front member that was picked by a rule or by its trial number, with the run that it comes from."""

    folder: RunFolder
    study: ResolvedStudy
    score: str
    rule: str
    member: FrontMember

    @property
    def config(self) -> Config:
        """The configuration of the member."""
        return self.member.config

    def config_document(self) -> dict[str, Any]:
        """The contents of `config.yaml`, which `cemai-opt run` accepts."""
        return {
            "picked": to_json(self.summary()),
            "config": self.config.mapping(),
            "study": self.study.to_json(),
        }

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
        )

    def plan(self, study: ResolvedStudy) -> TrialPlan:
        """The plan of a front member's test, without explanations."""
        stages = tuple(name for name in self.folder.space().stages if name != "explain")
        return TrialPlan(
            trial=self.member.trial, study=study, config=self.config, phase="final", stages=stages, folds=1
        )


def pick(folder: RunFolder, rule: str, *, tolerance: float | None = None) -> Picked:
    """The front member given by a rule ("knee", "best", "within", "greenest") or by a trial number.

    StudyError if there is none.
    """
    front = folder.front()
    return Picked(folder=folder, study=folder.study(), score=front.score, rule=rule, member=front.pick(rule, tolerance))


def d2m_document(picked: Picked, rows: Dataset) -> tuple[dict[str, Any], list[str]]:
    """The member in the layout of d2m, and what that layout cannot express."""
    feature = picked.config.params("featurize")
    added = (*ROLLING[str(feature.get("rolling", "none"))], *TREND[str(feature.get("trend", "none"))])
    added = (*added, *(["peak_frequency"] if feature.get("peak_frequency") else []))
    variables = tuple(column.name for column in rows.schema.columns)
    return d2m_params(picked.study, picked.config, target=rows.schema.target, variables=variables, added=added)
