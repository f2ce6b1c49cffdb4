"""importance: how much likelier each text is in a target than in the run (DSIR); with a number, a draw by that.

    weights.py    the n-grams of target and run, and each document's log weight
    keys.py       log weight and noise: what documents are drawn by
    draw.py       the largest keys over all shards are kept

The steps are apart so that another seed or another number reads no text.
"""

from __future__ import annotations

from gristmill.classifiers.importance import weights as importance
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.errors import RecipeError
from gristmill.pipeline import order_statistics
from gristmill.pipeline.plan import Step
from gristmill.pipeline.planning import Planning
from gristmill.pipeline.recipe import RecipeStage
from gristmill.pipeline.stages.importance import draw, keys, weights
from gristmill.pipeline.target_texts import check_texts, texts_digest

_VERSION = "1"
_OF_WEIGHTS = {"target", "text_column", "ngrams", "buckets", "smoothing", "scale_to", "name"}
_OF_KEYS = {"noise", "seed", "min_words", "name"}
_OF_DRAW = {"take", "fraction"}

PHASES = {weights.KIND: weights.phases, keys.KIND: keys.phases, draw.KIND: draw.phases}


def plan(stage: RecipeStage, planning: Planning) -> list[Step]:
    """Return the step that weighs, and those that draw if a number is named.

    Raises MissingError and UsageError for a target that is not there, empty or without the column, RecipeError for
    columns whose names are taken.
    """
    settings = stage.settings
    assert isinstance(settings, ImportanceSettings)
    if planning.provider(settings.log_weight) is not None:
        raise RecipeError(
            f"column '{settings.log_weight}' is there already; give this target a name of its own, such as "
            f"`name: second`, or name all targets in one stage {stage.location}"
        )
    digest = texts_digest(settings.target, settings.text_column)
    check_texts(settings.target, settings.text_column)
    name = planning.name_for("importance")
    weigh = Step(
        name=name,
        stage=name,
        kind=weights.KIND,
        settings=settings.model_dump(mode="json", include=_OF_WEIGHTS),
        places=("target", "text_column"),
        inputs=planning.inputs_of_kept_texts(),
        versions=importance.versions() | {"target": digest},
        columns=tuple(importance.layout(settings).names),
        scope="corpus",
    )
    return [weigh, *_drawing_steps(name, settings, planning)] if settings.draws else [weigh]


def _drawing_steps(name: str, settings: ImportanceSettings, planning: Planning) -> list[Step]:
    """Return the step that adds the noise, and the one that decides."""
    mix = Step(
        name=f"{name}.key",
        stage=name,
        kind=keys.KIND,
        settings=settings.model_dump(mode="json", include=_OF_KEYS),
        inputs=(planning.text_step, name),
        versions={"key": _VERSION},
        columns=(settings.key,),
    )
    draw_them = Step(
        name=f"{name}.keep",
        stage=name,
        kind=draw.KIND,
        settings=settings.model_dump(mode="json", include=_OF_DRAW),
        inputs=tuple(dict.fromkeys((*planning.deciders(), name, mix.name))),
        versions=order_statistics.versions() | {"draw": _VERSION},
        decides=True,
        scope="corpus",
    )
    return [mix, draw_them]
