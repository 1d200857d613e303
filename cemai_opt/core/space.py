"""The search space: every knob of the chosen stages and models, and which of them matter when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cemai_opt.core.errors import StudyError, nearest
from cemai_opt.core.genes import Gene, Value
from cemai_opt.core.plan import Config

MODEL = "train.model"
"""Full name of the gene that chooses the model; every model's own genes hang on it."""

Genome = Mapping[str, Value]
"""Values by full gene name: `featurize.window_rows`, `xgboost.max_depth`."""


@dataclass(frozen=True)
class SearchSpace:
    """Genes by full name (`stage.knob` or `model.knob`), in an order in which every condition comes first.

    `pins[model][gene]` is the value that a model forces on a stage's knob, because nothing else makes sense for it
    (trees need no scaling). `stages` are the stages that run, in order.
    """

    genes: Mapping[str, Gene]
    stages: tuple[str, ...]
    pins: Mapping[str, Mapping[str, Value]] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models in this space."""
        gene = self.genes[MODEL]
        return tuple(str(name) for name in gene.choices)

    def is_active(self, name: str, genome: Genome) -> bool:
        """Does the gene change anything, given the genes before it?"""
        gene = self.genes[name]
        if name in self.pins.get(str(genome.get(MODEL, "")), {}):
            return False
        if gene.when is None:
            return True
        master, values = gene.when
        return genome.get(master) in values and (master not in self.genes or self.is_active(master, genome))

    def is_open(self, name: str, genome: Genome) -> bool:
        """Is the gene active, and left to the search?"""
        return self.genes[name].searched and self.is_active(name, genome)

    def complete(self, genome: Genome) -> dict[str, Value]:
        """The active genes only, those not given at their defaults."""
        full: dict[str, Value] = {}
        for name, gene in self.genes.items():
            if self.is_active(name, {**full, MODEL: genome.get(MODEL, self.genes[MODEL].default)}):
                full[name] = gene.check(genome.get(name, gene.default))
        return full

    def active(self, genome: Genome) -> Config:
        """The configuration that a genome stands for; inactive genes leave no trace in it."""
        full = self.complete(genome)
        model = str(full[MODEL])
        stages: dict[str, dict[str, Value]] = {stage: {} for stage in self.stages}
        for name, value in {**full, **self.pins.get(model, {})}.items():
            owner, knob = name.split(".", 1)
            stage = "train" if owner == model else owner
            if stage in stages:
                stages[stage][knob] = value
        return Config(stages)

    def genome_of(self, config: Config) -> dict[str, Value]:
        """The genome that `active` turns into this configuration."""
        genome: dict[str, Value] = {}
        for stage, params in config.stages.items():
            for knob, value in params.items():
                own = f"{config.model}.{knob}"
                name = own if stage == "train" and own in self.genes else f"{stage}.{knob}"
                if name in self.genes and name not in self.pins.get(config.model, {}):
                    genome[name] = value
        return genome

    def vector(self, genome: Genome) -> list[float]:
        """Every searched gene as numbers from 0 to 1, one for each choice; 0 where the gene does not matter."""
        return [x for name, gene in self.genes.items() if gene.searched for x in gene.unit_values(genome.get(name))]

    def to_json(self) -> dict[str, Any]:
        """What `space.lock.yaml` holds: models, stages, and every gene as it was searched."""
        return {
            "models": list(self.models),
            "stages": list(self.stages),
            "genes": {name: _gene_json(gene) for name, gene in self.genes.items()},
        }


def _gene_json(gene: Gene) -> dict[str, Any]:
    document: dict[str, Any] = {"default": gene.default, "searched": gene.searched}
    if gene.choices:
        document["choices"] = list(gene.choices)
    else:
        document |= {"low": gene.low, "high": gene.high, "integer": gene.is_integer, "log": gene.log}
    if gene.unit:
        document["unit"] = gene.unit
    if gene.when:
        document["when"] = {gene.when[0]: list(gene.when[1])}
    return document


@dataclass(frozen=True)
class Lens:
    """A search space file: which models and stages, and narrower choices for their knobs."""

    models: tuple[str, ...] | None = None
    skip_stages: tuple[str, ...] = ()
    genes: Mapping[str, object] = field(default_factory=dict)

    KEYS = ("description", "models", "skip_stages", "genes")

    @staticmethod
    def parse(document: object, where: str) -> Lens:
        """The lens in a parsed YAML document. StudyError names an unknown key and the nearest known one."""
        if document is None:
            return Lens()
        if not isinstance(document, Mapping):
            raise StudyError(f"{where}: a search space is a mapping of keys to values", f"keys: {Lens.KEYS}")
        for key in document:
            if key not in Lens.KEYS:
                raise StudyError(f"{where}: unknown key {str(key)!r}", nearest(str(key), Lens.KEYS))
        models, genes = document.get("models"), document.get("genes") or {}
        skipped = document.get("skip_stages") or ()
        for key, thing in (("models", models), ("skip_stages", skipped)):
            if thing is not None and not (
                isinstance(thing, (list, tuple)) and all(isinstance(name, str) for name in thing)
            ):
                raise StudyError(f"{where}: {key} is not a list of names", f"write {key}: [a, b]")
        if not isinstance(genes, Mapping):
            raise StudyError(f"{where}: genes is not a mapping", "write genes: {scale.input: [standard, none]}")
        return Lens(tuple(models) if models is not None else None, tuple(skipped), genes)

    def applied(self, genes: Mapping[str, Gene], where: str) -> dict[str, Gene]:
        """All genes, narrowed where this lens says so. StudyError names a gene that does not exist."""
        for name in self.genes:
            if name not in genes:
                raise StudyError(f"{where}: there is no gene {name!r}", nearest(str(name), genes))
        try:
            return {
                name: gene.narrowed(self.genes[name]) if name in self.genes else gene for name, gene in genes.items()
            }
        except StudyError as error:
            raise StudyError(f"{where}: {error.message}", error.hint) from error
