"""Recipes: one YAML 1.2 file that says what to curate and how.

A recipe is validated whole before anything runs. Every mistake is reported at once, each with its file and line,
what was expected and the nearest right name.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from gristmill.classifiers.ensemble.settings import EnsembleSettings
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.perplexity.settings import PerplexitySettings
from gristmill.classifiers.quality.settings import QualitySettings
from gristmill.classifiers.settings import LanguageSettings
from gristmill.crawl.settings import ExtractSettings
from gristmill.dedup.settings import DecontaminateSettings, DedupSettings
from gristmill.errors import RecipeError
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.settings import RunSettings, SourceSettings
from gristmill.pipeline.yaml import Location, Node, parse_value, read_yaml
from gristmill.tokenize.settings import TokenizeSettings

STAGE_SETTINGS: dict[str, type[BaseModel]] = {
    "extract": ExtractSettings,
    "language": LanguageSettings,
    "edit": EditSettings,
    "signals": SignalsSettings,
    "filter": FilterSettings,
    "quality": QualitySettings,
    "perplexity": PerplexitySettings,
    "ensemble": EnsembleSettings,
    "importance": ImportanceSettings,
    "dedup": DedupSettings,
    "decontaminate": DecontaminateSettings,
    "tokenize": TokenizeSettings,
}

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"


@dataclass(frozen=True)
class RecipeStage:
    """One entry of ``stages``: its kind, its settings, and where it stands in the file."""

    kind: str
    settings: BaseModel
    location: Location


@dataclass(frozen=True)
class Recipe:
    """A validated recipe."""

    name: str
    source: SourceSettings
    stages: tuple[RecipeStage, ...]
    run: RunSettings
    document: dict[str, Any]
    location: Location

    def key_location(self, *keys: str | int) -> Location:
        """Return where a key stands, or the nearest thing around it."""
        return self.location.at(keys)


def load_recipe(path: str | Path, overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe in a file, with ``key=value`` overrides set first.

    Raises RecipeError naming every mistake with its line.
    """
    node = read_yaml(path)
    for override in overrides:
        _override(node, override)
    return build_recipe(node)


def build_recipe(node: Node) -> Recipe:
    """Return the recipe that a parsed YAML mapping holds. Raises RecipeError naming every mistake with its line."""
    mistakes: list[str] = []
    document = node.value
    if not isinstance(document, dict):
        raise RecipeError(f"a recipe is a mapping with the keys name, source and stages {node.location.at(())}")
    _unknown(document, ("name", "source", "stages", "run"), (), node.location, mistakes)
    name = _name(document, node.location, mistakes)
    source = _part(_with_long_source(document), "source", SourceSettings, node.location, mistakes)
    run = _part({"run": {}} | document, "run", RunSettings, node.location, mistakes)
    stages = _stages(document.get("stages"), node.location, mistakes)
    if mistakes:
        raise RecipeError("\n".join(mistakes))
    assert isinstance(source, SourceSettings)
    assert isinstance(run, RunSettings)
    return Recipe(name, source, stages, run, document, node.location)


def nearest(name: str, names: Sequence[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest of the names, or the names there are.

    >>> nearest("word_cuont", ["word_count"])
    "; did you mean 'word_count'?"
    """
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean '{found[0]}'?" if found else f"; there are: {', '.join(names)}"


def recipe_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe, for editors."""
    definitions: dict[str, Any] = {}

    def reference(model: type[BaseModel]) -> dict[str, str]:
        described = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions.update(described.pop("$defs", {}))
        definitions[model.__name__] = described
        return {"$ref": f"#/$defs/{model.__name__}"}

    stages = [
        {
            "type": "object",
            "properties": {kind: {"anyOf": [reference(model), {"type": "null"}]}},
            "required": [kind],
            "additionalProperties": False,
        }
        for kind, model in STAGE_SETTINGS.items()
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gristmill recipe",
        "type": "object",
        "required": ["name", "source", "stages"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "pattern": _NAME, "description": "The run's name, and its folder's."},
            "source": reference(SourceSettings),
            "stages": {
                "type": "array",
                "minItems": 1,
                "description": "What is done, in this order.",
                "items": {"anyOf": [*stages, {"enum": list(STAGE_SETTINGS)}]},
            },
            "run": reference(RunSettings),
        },
        "$defs": definitions,
    }


def _with_long_source(document: dict[str, Any]) -> dict[str, Any]:
    """Return the recipe with a source that is only paths in its long form."""
    source = document.get("source")
    return document | {"source": {"warc": source}} if isinstance(source, str | list) else document


def _name(document: Mapping[str, Any], location: Location, mistakes: list[str]) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not re.fullmatch(_NAME, name):
        said = "is missing" if name is None else f"is {name!r}"
        mistakes.append(
            f"'name' {said}: it names the run's folder, so letters, digits, '.', '_' and '-' {location.at(('name',))}"
        )
        return ""
    return name


def _part(
    document: Mapping[str, Any], key: str, model: type[BaseModel], location: Location, mistakes: list[str]
) -> BaseModel | None:
    if key not in document:
        mistakes.append(f"'{key}' is missing {location.at(())}")
        return None
    return _validated(document[key], model, (key,), location, mistakes)


def _stages(value: Any, location: Location, mistakes: list[str]) -> tuple[RecipeStage, ...]:
    if not isinstance(value, list) or not value:
        mistakes.append(f"'stages' must be a list of at least one stage {location.at(('stages',))}")
        return ()
    stages = (_stage(entry, index, location, mistakes) for index, entry in enumerate(value))
    return tuple(stage for stage in stages if stage is not None)


def _stage(entry: Any, index: int, location: Location, mistakes: list[str]) -> RecipeStage | None:
    here = location.at(("stages", index))
    if isinstance(entry, str):
        entry = {entry: None}
    if not isinstance(entry, dict) or len(entry) != 1:
        mistakes.append(f"a stage is one name with its settings, such as '- signals: {{…}}' {here}")
        return None
    ((kind, value),) = entry.items()
    if kind not in STAGE_SETTINGS:
        mistakes.append(f"there is no stage '{kind}'{nearest(str(kind), list(STAGE_SETTINGS))} {here}")
        return None
    path = ("stages", index, kind)
    settings = _validated({} if value is None else value, STAGE_SETTINGS[kind], path, location, mistakes)
    return RecipeStage(kind, settings, location.at(path)) if settings is not None else None


def _validated(
    value: Any, model: type[BaseModel], path: tuple[str | int, ...], location: Location, mistakes: list[str]
) -> BaseModel | None:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        told = (problem for problem in problems if not _follows(problem, problems))
        mistakes += [_sentence(problem, model, path, location) for problem in told]
        return None


def _follows(problem: Any, problems: Sequence[Any]) -> bool:
    """Return whether a list is too short only since something in it is wrong, which is said by itself."""
    loc = problem["loc"]
    return problem["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in problems
    )


def _sentence(problem: Any, model: type[BaseModel], path: tuple[str | int, ...], location: Location) -> str:
    keys = path + tuple(problem["loc"])
    here = location.at(keys)
    named = ".".join(str(key) for key in keys if not isinstance(key, int))
    if problem["type"] == "extra_forbidden":
        known = _fields_at(model, tuple(problem["loc"][:-1]))
        return f"unknown key '{named}'{nearest(str(keys[-1]), known)} {here}"
    if problem["type"] == "missing":
        return f"'{named}' is missing {here}"
    message = problem["msg"].removeprefix("Value error, ")
    given = "" if isinstance(problem["input"], dict | list) else f", got {problem['input']!r}"
    return f"'{named}': {message[0].lower() + message[1:]}{given} {here}"


def _fields_at(model: type[BaseModel], keys: tuple[str | int, ...]) -> list[str]:
    """Return the field names of the model that ``keys`` lead to, by their names in a recipe."""
    annotation: Any = model
    for key in keys:
        annotation = next(iter(get_args(annotation)), None) if isinstance(key, int) else _inside(annotation, key)
    found = _model_in(annotation) or model
    return [field.alias or name for name, field in found.model_fields.items()]


def _inside(annotation: Any, key: str) -> Any:
    """Return the type of what stands under a key of a value of the given type."""
    model = _model_in(annotation) if get_origin(annotation) is not dict else None
    if model is None:
        return get_args(annotation)[-1] if get_args(annotation) else None
    if key in model.model_fields:
        return model.model_fields[key].annotation
    extra = get_type_hints(model).get("__pydantic_extra__")
    return get_args(extra)[-1] if get_args(extra) else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model is not None), None)


def _unknown(
    document: Mapping[str, Any],
    known: Sequence[str],
    path: tuple[str | int, ...],
    location: Location,
    mistakes: list[str],
) -> None:
    mistakes += [
        f"unknown key '{key}'{nearest(str(key), known)} {location.at((*path, str(key)))}"
        for key in document
        if key not in known
    ]


def _override(node: Node, override: str) -> None:
    """Set one ``dotted.key=value``; a stage is named by its kind or its number from 0."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise RecipeError(f"--set takes key=value, such as source.warc=crawl/*.warc.gz, got '{override}'")
    target: Any = node.value
    keys = key.split(".")
    for position, part in enumerate(keys):
        last = position == len(keys) - 1
        if isinstance(target, list):
            target = _stage_settings(target, part, key)
            if last:
                target.clear()
                target.update(_as_settings(parse_value(text), key))
        elif not isinstance(target, dict):
            raise RecipeError(f"--set {key}: '{'.'.join(keys[:position])}' is not a mapping, so it has no '{part}'")
        elif last:
            target[part] = parse_value(text)
        else:
            if target.get(part) is None:
                target[part] = {}
            target = target[part]


def _stage_settings(entries: list[Any], part: str, key: str) -> dict[str, Any]:
    """Return the settings of the stage that ``part`` names, to be changed in place."""
    names = [next(iter(e)) if isinstance(e, dict) and e else e for e in entries]
    if part.isdigit() and int(part) < len(entries):
        index = int(part)
    elif part in names:
        index = names.index(part)
    else:
        raise RecipeError(f"--set {key}: the recipe has no stage '{part}'{nearest(part, [str(n) for n in names])}")
    entry = entries[index] if isinstance(entries[index], dict) else {entries[index]: None}
    kind = next(iter(entry))
    settings = _as_settings(entry[kind], key)
    entries[index] = {kind: settings}
    return settings


def _as_settings(value: Any, key: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RecipeError(f"--set {key}: a stage's settings are a mapping, such as {{key: value}}, got {value!r}")
    return value
