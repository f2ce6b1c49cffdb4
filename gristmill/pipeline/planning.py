"""From a recipe to a plan: every stage is asked for its steps, and every mistake that can be known is found now."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from gristmill.errors import AccessError, GristmillError, RecipeError, UsageError
from gristmill.pipeline.index_source import index_shards
from gristmill.pipeline.lookups import NO_LOOKUPS, Lookups
from gristmill.pipeline.plan import Plan, Step, with_digest
from gristmill.pipeline.recipe import Recipe, RecipeStage, nearest
from gristmill.pipeline.sources import resolve_sources
from gristmill.pipeline.yaml import Location


@dataclass
class Planning:
    """The steps planned so far, as later stages see them."""

    recipe: Recipe
    steps: list[Step] = field(default_factory=list)

    @property
    def text_step(self) -> str:
        """Name of the step whose files hold the text."""
        return self.steps[0].name

    def text_inputs(self) -> tuple[str, ...]:
        """Return the names of the steps that a text is made of: the one that holds it, then the edits so far."""
        return (self.text_step, *(step.name for step in self.steps if step.edits))

    def deciders(self) -> tuple[str, ...]:
        """Return the names of the deciding steps so far, in order."""
        return tuple(step.name for step in self.steps if step.decides)

    def inputs_of_kept_texts(self) -> tuple[str, ...]:
        """Return the names of the deciding steps so far, then those of the text's steps that are not among them."""
        return tuple(dict.fromkeys((*self.deciders(), *self.text_inputs())))

    def provider(self, column: str) -> str | None:
        """Return the name of the latest step whose layer has a column; None if there is none."""
        return next((step.name for step in reversed(self.steps) if column in step.columns), None)

    def columns(self) -> list[str]:
        """Return every column that a rule can name."""
        return [column for step in self.steps for column in step.columns]

    def name_for(self, kind: str) -> str:
        """Return a stage's name: its kind, and a number from the second of a kind on."""
        taken = {step.stage for step in self.steps}
        number = 2
        name = kind
        while name in taken:
            name, number = f"{kind}-{number}", number + 1
        return name


Planner = Callable[[RecipeStage, Planning], list[Step]]


def make_plan(recipe: Recipe, planners: Mapping[str, Planner], lookups: Lookups = NO_LOOKUPS) -> Plan:
    """Return the plan of a recipe; ``lookups`` keep what the network is asked for it.

    Raises RecipeError and MissingError before anything has run, AccessError if a list of files cannot be read.
    """
    _check_order(recipe)
    planning = Planning(recipe)
    for stage in recipe.stages:
        with _located(stage.location):
            for step in planners[stage.kind](stage, planning):
                planning.steps.append(with_digest(step, planning.steps))
    if recipe.source.index is not None:
        with _located(recipe.key_location("source", "index")):
            shards, note = index_shards(recipe.source, recipe.run.access, lookups)
        return Plan(recipe.name, shards, tuple(planning.steps), recipe.run.access, note=note)
    with _located(recipe.key_location("source", "warc" if recipe.source.warc else "crawl")):
        shards = resolve_sources(recipe.source, recipe.run.access, lookups)
    return Plan(recipe.name, shards, tuple(planning.steps), recipe.run.access)


@contextmanager
def _located(location: Location) -> Iterator[None]:
    """Let a mistake that is found in planning end with its place in the recipe."""
    try:
        yield
    except GristmillError as error:
        if re.search(r"\(\S+:\d+\)$", str(error)):
            raise
        if not isinstance(error, UsageError | AccessError):
            raise UsageError(f"{error} {location}") from error
        error.args = (f"{error} {location}",)
        raise


def missing_signal(rule_code: str, signal: str, stage: RecipeStage, planning: Planning) -> RecipeError:
    """Return the error for a rule on something that no earlier stage measures."""
    known = planning.columns()
    hint = nearest(signal, known) if known else "; add a `signals` stage before it"
    location = stage.location.at(_keys_of(rule_code, planning.recipe, stage))
    return RecipeError(
        f"rule '{rule_code}' needs signal '{signal}', which no stage before '{stage.kind}' measures{hint} {location}"
    )


def _keys_of(rule_code: str, recipe: Recipe, stage: RecipeStage) -> tuple[str | int, ...]:
    index = next(i for i, other in enumerate(recipe.stages) if other is stage)
    return ("stages", index, stage.kind, *rule_code.split("."))


def _check_order(recipe: Recipe) -> None:
    kinds = [stage.kind for stage in recipe.stages]
    if kinds[0] != "extract":
        raise RecipeError(f"the first stage must be 'extract', not '{kinds[0]}' {recipe.stages[0].location}")
    for stage in recipe.stages[1:]:
        if stage.kind == "extract":
            raise RecipeError(f"'extract' can stand only once, as the first stage {stage.location}")
    for stage in recipe.stages[:-1]:
        if stage.kind == "tokenize":
            raise RecipeError(
                f"'tokenize' must be the last stage: nothing after it can drop a document {stage.location}"
            )
