"""Write the reference pages that follow from the code: docs/cli.md and docs/recipes.md.

`python docs/generate.py` writes them; a test checks that they are current.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel

from gristmill.cli import app
from gristmill.filters.edits.settings import EDIT_SETTINGS
from gristmill.pipeline.recipe import STAGE_SETTINGS, recipe_schema

FOLDER = Path(__file__).parent

_CLI = """\
# Commands

Made by `python docs/generate.py`. Every command has `--help`. Exit codes: 0 done, 1 failed, 2 wrong usage or a wrong
recipe, 130 interrupted.
"""

_RECIPES = """\
# Recipes

Made by `python docs/generate.py`. A recipe is one YAML 1.2 file (`no` is Norwegian, not false). `gristmill schema`
prints its JSON Schema: point your editor at it for completion. Stages run in the order written; `extract` comes first
and `tokenize` last. Any key can be changed for one run with `--set key=value`, such as
`--set stages.filter.gopher_quality.word_count.min=100`; a stage is named by its kind, or by its number from 0.
"""


def cli_reference() -> str:
    """Return docs/cli.md."""
    group: Any = typer.main.get_command(app)
    return "\n".join([_CLI, *(_command(name, command) for name, command in _commands(group, ""))])


def _commands(group: Any, before: str) -> Iterator[tuple[str, Any]]:
    """Yield each command with its name, those of a group behind the group's name."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield before + name, command


def _command(name: str, command: Any) -> str:
    usage = " ".join([f"gristmill {name}", *(_usage(p) for p in command.params if _is_argument(p))])
    rows = "\n".join(_option(p) for p in command.params)
    return f"## {name}\n\n{command.help.strip()}\n\n```console\n$ {usage}\n```\n\n| | |\n|---|---|\n{rows}\n"


def recipe_reference() -> str:
    """Return docs/recipes.md."""
    described = recipe_schema()
    definitions = described["$defs"]
    top = [
        ("source", definitions["SourceSettings"], "where the crawl lies"),
        *((kind, definitions[model.__name__], "a stage") for kind, model in STAGE_SETTINGS.items()),
        ("run", definitions["RunSettings"], "how it runs"),
    ]
    parts = [_RECIPES]
    for name, definition, what in top:
        parts.append(
            f"## {name}\n\n{definition.get('description', what).strip()}\n\n{_table(definition, definitions)}\n"
        )
        parts += [_part(*part, definitions) for part in EDIT_SETTINGS.items()] if name == "edit" else []
    parts += [
        f"### {name}\n\n{_table(definitions[name], definitions)}\n"
        for name in (
            "LanguageLinesSettings",
            "IndexSettings",
            "AccessSettings",
            "UrlRuleSettings",
            "BloomSettings",
            "MinHashSettings",
            "SimHashSettings",
            "LinesSettings",
            "ParagraphsSettings",
            "ClassifierSettings",
            "BenchmarkSettings",
            "FieldSettings",
            "SlurmSettings",
        )
    ]
    return "\n".join(parts)


def _part(name: str, model: type[BaseModel], definitions: dict[str, Any]) -> str:
    """Return the section of one edit."""
    definition = definitions[model.__name__]
    table = _table(definition, definitions) if definition.get("properties") else "It has no settings."
    return f"### {name}\n\n{definition['description'].strip()}\n\n{table}\n"


def _table(definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    required = definition.get("required", [])
    for key, field in definition.get("properties", {}).items():
        has_default = "default" in field and not isinstance(field["default"], dict)
        default = "required" if key in required else f"`{field['default']}`" if has_default else ""
        rows.append(f"| `{key}` | {_type(field)} | {default} | {_cell(field.get('description', ''))} |")
    return "\n".join(rows)


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    if "anyOf" in field:
        return " \\| ".join(dict.fromkeys(_type(option) for option in field["anyOf"]))
    if "$ref" in field:
        return field["$ref"].rsplit("/", 1)[-1]
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}" if field.get("items") else "list"
    if isinstance(field.get("additionalProperties"), dict):
        return f"mapping to {_type(field['additionalProperties'])}"
    return str(field.get("type", "any"))


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _usage(parameter: Any) -> str:
    name = (parameter.metavar or parameter.name).upper()
    return name if parameter.required else f"[{name}]"


def _option(parameter: Any) -> str:
    name = _usage(parameter) if _is_argument(parameter) else ", ".join(parameter.opts)
    return f"| `{name}` | {_cell(parameter.help or '')} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {"cli.md": cli_reference, "recipes.md": recipe_reference}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (FOLDER / page).write_text(make(), encoding="utf-8")
