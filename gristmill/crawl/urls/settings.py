"""What a recipe says of addresses and of opting out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

DEFAULT = "default"
"""The name of FineWeb's lists in a recipe."""

Signal = Literal["noai", "noimageai", "noml", "noindex", "noarchive", "nosnippet", "tdm"]


def _as_blocklists(value: Any) -> Any:
    entries = value if isinstance(value, list | tuple) else [value]
    return tuple({"path": entry} if isinstance(entry, str) else entry for entry in entries)


def _as_opt_out(value: Any) -> Any:
    signals = [value] if isinstance(value, str) else value
    return {"signals": signals} if isinstance(signals, list | tuple) else value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _lowered(value: Any) -> Any:
    value = _as_tuple(value)
    return tuple(v.lower() if isinstance(v, str) else v for v in value) if isinstance(value, list | tuple) else value


class BlocklistSettings(BaseModel):
    """One blocklist: a file, an archive or a folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(
        min_length=1,
        description="`default` (FineWeb's), or the path or fsspec URL of a plain list, a UT1 archive or a UT1 folder.",
    )
    categories: Annotated[tuple[str, ...] | None, BeforeValidator(_as_tuple)] = Field(
        None,
        min_length=1,
        description="Categories of a UT1 archive or folder, such as `[adult, gambling]`; by default all of them.",
    )


Blocklists = Annotated[
    tuple[BlocklistSettings, ...],
    BeforeValidator(_as_blocklists),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                BlocklistSettings.model_json_schema(),
                {"type": "array", "items": {"anyOf": [{"type": "string"}, BlocklistSettings.model_json_schema()]}},
            ]
        },
        mode="validation",
    ),
]

Entries = tuple[str, ...] | str
"""A list of entries, or the path or fsspec URL of a file with one a line."""


class UrlRuleSettings(BaseModel):
    """Further rules on addresses. Each is a list of entries, or one text: the path of a file with an entry a line."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    domains: Entries = Field((), description="Domains that are not extracted, with all hosts below them.")
    exact: Entries = Field((), description="Addresses that are not extracted.")
    hard_words: Entries | None = Field(
        None,
        description="Words of which one in the address is enough. `default` stands for FineWeb's, also within a list; "
        "they apply by themselves with `url_blocklist: default`.",
    )
    soft_words: Entries | None = Field(
        None, description="Words of which `least_soft_words` different ones are enough; `default` as above."
    )
    least_soft_words: int = Field(2, ge=1, description="How many different soft words drop a page.")
    substrings: Entries | None = Field(
        None, description="What is looked for in the address without regard to words; `default` as above."
    )
    substrings_ignore: Literal["all", "-."] = Field(
        "all",
        description="Characters left out before substrings are looked for: `all` but letters and digits, as datatrove "
        "has it, or only `-.`, as DCLM has it.",
    )
    allow: Entries = Field((), description="Domains and addresses to which no rule on addresses applies.")


class OptOutSettings(BaseModel):
    """Which signals in a record count as the wish not to be used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    signals: Annotated[tuple[Signal, ...], BeforeValidator(_as_tuple)] = Field(
        min_length=1,
        description="Tokens of `X-Robots-Tag` and of robots metas; `tdm` is a reservation by the TDM protocol.",
    )
    agents: Annotated[tuple[str, ...], BeforeValidator(_lowered)] = Field(
        ("ccbot",),
        description="Crawlers for whom a signal counts that is addressed to one by name; those to all always count.",
    )


OptOut = Annotated[
    OptOutSettings | None,
    BeforeValidator(_as_opt_out),
    WithJsonSchema(
        {
            "anyOf": [
                OptOutSettings.model_json_schema()["properties"]["signals"],
                OptOutSettings.model_json_schema(),
                {"type": "null"},
            ]
        },
        mode="validation",
    ),
]
