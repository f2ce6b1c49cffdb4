"""The reference pages of signals, rules, parity, made from the code: ``python -m gristmill.filters.catalogue docs``."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gristmill.filters.edits.catalogue import DIFFERENCES as EDIT_DIFFERENCES
from gristmill.filters.rules.presets import PRESETS
from gristmill.filters.rules.published.preset import Preset
from gristmill.filters.rules.rule import Rule
from gristmill.filters.signals.families import FAMILIES, SIGNALS
from gristmill.filters.signals.signal import Signal

_MADE = "<!-- Made by `python -m gristmill.filters.catalogue docs`; a test checks that it is current. -->"

_LISTS = """\
| list | what it is | where to get it |
|---|---|---|
| `stop_words` | stop words by language | FineWeb-2's `configs`: `git clone https://github.com/huggingface/fineweb-2` |
| `bad_words` | obscene words by language | LDNOOBW: \
`git clone https://github.com/LDNOOBW/List-of-Dirty-Naughty-Obscene-and-Otherwise-Bad-Words` |
| `ut1` | domains by category | UT1: `https://dsi.ut-capitole.fr/blacklists/download/blacklists.tar.gz` |
"""

_SIGNALS = f"""\
{_MADE}
# Signals

A signal is a measured value of one document: a row's values depend on its text alone, and on what the signal says that
it needs. Counts and lengths are int64, ratios and means float64; what is a string is bounded by `in`. A null text has
nulls. `- signals: {{families: [...], words: ...}}` chooses what is measured, on which words:

- `unicode` (the default): Unicode's word boundaries (UAX 29), found by a compiled loop, with these tailorings. White
  space and U+200B separate and are no words. Letters, digits and `_` that stand together are one word; an apostrophe
  or full stop joins two letters (`don't`, `example.com`), a comma, full stop, colon or slash two digits (`1,000`,
  `12:30`). A run of other symbols is one word (`...`, `</`). Ideographs, kana and the letters of Thai, Lao, Khmer,
  Myanmar and their like are words of their own, with the marks on them: no dictionary is used.
- `whitespace`: what stands between white space, as `str.split` has it.
- `spacy`: the words of spaCy's blank English pipeline, which are datatrove's: the same on every text. A compiled loop
  applies the rules of the spaCy that is installed; its time grows with a text's length, while spaCy's grows with the
  square of the length of what has no white space in it. A spaCy whose rules are of another shape than those of 3.8 is
  refused. Needs the extra `spacy`.

Signals named `..._redpajama_v2` bring their own words, whatever `words` says. Of normalized words ASCII punctuation is
deleted (`don't` is `dont`), the rest is lower-cased character by character, decomposed (NFD: `é` is two characters) and
split at white space. Raw words are runs of letters, digits and `_`, and runs of other characters that are not white
space (`\\w+|[^\\w\\s]+`). Their lines end at line feeds, which belong to them; blank ones count, and nothing after the
last line feed is no line.

Characters are code points. Words are compared by 64-bit hashes of their characters, lines and paragraphs by 64-bit
hashes of their bytes: that two different ones of the million words of a long document are taken for equal has a
probability of about 3e-8. A page made to collide can only spoil its own signals.

FineWeb's four filters on 300 pages of a crawl in many languages (3.8 KB each), on one core, CPU time, beside other
work: signals, rules and Parquet here, datatrove 0.10's filters in a chain there (`benchmarks/signals.py`).

| | documents/s | × | signals of Gopher and FineWeb alone |
|---|---|---|---|
| `unicode` | 12,367 | 117 | 78 MB/s |
| `whitespace` | 14,919 | 141 | 95 MB/s |
| `spacy` | 8,858 | 84 | 45 MB/s |
| datatrove | 106 | 1 | |

Nothing is remembered between texts, so words that were never met cost no more. A process measures its first text after
12 s when its loops must be compiled, else after 1.3 s (1.0 s of CPU time).

## What a signal needs

Most signals need the text and nothing else. Some need more, and say so:

- the document's `url`, which every document has;
- the document's `language`, as the latest `language` stage before labels it;
- published lists, which gristmill does not hold. Name them where they lie, as a path or an fsspec URL of a folder or a
  tar archive:

```yaml
- language: {{model: lid176}}
- signals:
    families: [gopher_quality, stop_words]
    lists: {{stop_words: fineweb-2/configs}}
```

{_LISTS}
A list of words by language is a folder or an archive with a file for each language: `fr.txt` or `fr`, a word a line, or
FineWeb-2's `fra_Latn.yml`; or one JSON file of `{{language: [words]}}`, such as that of stopwords-iso. A language is
found under its name in FineWeb-2, its ISO 639-3 code and its label in lid176, whichever of them the list has:
`fra_Latn`, `fra`, `fr`. What the `language` stage calls something else is named beside the lists, such as
`labels: {{fra_Latn: french}}`. `als` is Alemannic, as lid176 has it, and not Albanian, as ISO 639-3 has it. A document
in a language without a list has nulls.

A list is read when the recipe is planned. The digest of what it says is part of the step, so another list is another
layer, and the same list is the same wherever it lies and however it is packed. What was read is kept in gristmill's
cache (`GRISTMILL_CACHE`): a list whose files have not changed is not read again.
"""

_RULES = f"""\
{_MADE}
# Rules

A rule is a bound on a signal. Its reason code is made of the rule set, the signal and the side, such as
`gopher_quality.word_count.min`. Every rule is evaluated on every document: `reason` is the first that drops it, in the
order below, and `reasons` are all. [Parity](parity.md) tells which presets are tested against datatrove's own code.

- `min: b` drops what is less than `b`; `max: b` drops what is more. **A value on the bound is kept.**
- `in: [x, y]` drops every other text.
- A document without the value (null) is kept. A value that is not a number (NaN) is dropped by any bound.
- `null` switches a preset's bound off.

```yaml
- filter:
    use: [gopher_repetition, gopher_quality]      # presets, in this order
    gopher_quality:                               # single bounds of a preset, changed
      word_count: {{min: 20}}
      stop_word_count: {{min: null}}
    house:                                        # a rule set of your own; any name
      word_count: {{max: 50_000}}
      language: {{in: [en, fr]}}
```

## Bounds by language

A bound can differ for single languages, as an earlier `language` stage labels them. A side that a language does not
name is as for all others, and null switches it off. The reason code stays the same; `gristmill explain` shows the bound
that a document was held against.

```yaml
gopher_quality:
  stop_word_count: {{languages: {{de: {{min: null}}, fr: {{min: 1}}}}}}
house:
  word_count: {{min: 50, languages: {{zh: {{min: 20}}}}}}
```

## any, all

Each bound of a rule set drops on its own. `any` makes one rule of several sets of bounds: it keeps what lies inside all
bounds of one of them. Its code names what it is made of, here
`house.any(word_count.min,all(stop_word_count.min,bullet_line_ratio.max))`. What a bound does not judge lies inside it.
`all` is the same as writing its sets one by one; with it, a set can hold several choices. They nest.

```yaml
house:
  any:
    - {{word_count: {{min: 200}}}}
    - {{stop_word_count: {{min: 4}}, bullet_line_ratio: {{max: 0.1}}}}
```

## Warnings

A filter that keeps under 0.1% of at least 1,000 documents, or drops nothing of over 10,000, says so when it is done: on
the terminal, in the manifest, and in the report, with what it saw and the likely cause. `warn: false` in the stage
silences it, and makes nothing be computed again.
"""

_PARITY = f"""\
{_MADE}
# Parity with datatrove

gristmill claims datatrove's meaning for some of its presets and edits. For these, tests run the code of datatrove 0.10
on the same texts:

| here | there | the same |
|---|---|---|
| presets `gopher_repetition`, `gopher_quality`, `fineweb`, `c4` | the filters of these names | verdict, first reason |
| `long_paragraph_count` | C4ParagraphFilter | verdict |
| presets `fineweb2/<language>` | the three filters with its values, given the words | verdict, first reason |
| preset `c4_bad_words`, of each language | C4BadWordsFilter | verdict |
| `email_count`, `ip_count` | PIIFormatter | how many it replaces |
| edit `c4_lines` | C4QualityFilter | verdict, first reason, the text that is left |
| edit `pii`, of `email` and `ip` | PIIFormatter | the text that is left |
| edits `unicode`, `symbol_lines` | FTFYFormatter, SymbolLinesFormatter | the text that is left |

The texts are hostile ones that Hypothesis makes up, and over 6,800 real ones: pages with and without their menus,
encyclopedias, code, over 200 languages. A preset is compared on three kinds of words. With `words: spacy`, datatrove
runs untouched, as its users have it: of all the real texts, none meets another end. With `unicode` and `whitespace`, it
is given gristmill's words. How often the fast `unicode` words lead to the verdict of untouched datatrove is measured in
[presets](presets.md).

datatrove's verdicts on the real texts are kept in `tests/golden` by digest, without the texts; each test run compares
all of them with gristmill's, and has datatrove judge an eighth of the texts again.

## Every intended difference

A test shows each. On real texts, `sentences` makes another verdict of 1.1% of the pages, and `one_replacement`
writes other addresses; none of the others has made any difference there.

| of | name | there | here |
|---|---|---|---|
"""

# Every intended difference of the presets and signals from datatrove's blocks: what it does, what is done here.
DIFFERENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "empty_text": (
            "repetition drops a text of length 0 as `empty`, FineWeb one of blank lines",
            "ratios are 0.0; `gopher_quality.word_count.min` or `fineweb.terminal_line_ratio.min` drops it",
        ),
        "division_by_zero": (
            "with the word bounds off, a text without words or lines raises ZeroDivisionError",
            "such a ratio is 0.0",
        ),
        "no_mean": (
            "with the word bounds off, a text without words has a mean word length of NaN, which is kept",
            "it is 0.0, which `gopher_quality.mean_word_length.min` drops",
        ),
        "ngrams_compare_words": (
            "repeated 5- to 10-grams are compared joined without spaces, so `ab c` equals `a bc`",
            "n-grams are equal if their words are",
        ),
        "all_reasons": ("the first reason ends the check", "every rule is evaluated"),
        "case_of_sigma": (
            "bad words are looked for in `text.lower()`, where a capital sigma that ends a word becomes `ς`",
            "it becomes `σ`, as any other",
        ),
        "unlisted_language": (
            "a language without a list of bad words ends the run, or the document is kept",
            "the signal is null, so the document is kept",
        ),
        "kept_at_random": (
            "a share of the documents with bad words can be kept at random",
            "none is kept at random",
        ),
        "page_order": (
            "C4's filter names lorem ipsum or a brace, whichever line comes first",
            "both are measured; the first rule names the reason",
        ),
        "object_identifiers": (
            "PIIFormatter takes four numbers within a longer dotted number for an IP address: OIDs, versions",
            "`ip_count` counts an address only if no further digit or dotted number stands beside it",
        ),
        "bound_of_zero": ("a bound of 0 is no bound", "0 is a bound; `null` switches a bound off"),
    }
)


def signals_page() -> str:
    """Return docs/signals.md."""
    parts = [_SIGNALS]
    for family, names in FAMILIES.items():
        sources = dict.fromkeys(SIGNALS[name].source for name in names)
        parts.append(f"## {family}\n\nSource: {'; '.join(sources)}.\n")
        parts += [_entry(SIGNALS[name]) for name in names]
    return "\n".join(parts)


def signals_listing(width: int | None = None) -> str:
    """Return every family with its source, and its signals with what they mean, as plain text.

    Lines are wrapped at ``width`` characters; for None, each signal has one.
    """
    parts = []
    for family, names in FAMILIES.items():
        sources = dict.fromkeys(SIGNALS[name].source for name in names)
        longest = max(map(len, names))
        lines = _wrapped(f"{family}  ({'; '.join(sources)})", 2, width)
        for name in names:
            line = f"  {name:{longest}}  {SIGNALS[name].meaning}{_needs(SIGNALS[name], '  [needs ', ']')}"
            lines += _wrapped(line, 4, width)
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _wrapped(line: str, indent: int, width: int | None) -> list[str]:
    """Return a line in pieces of at most ``width`` characters, those after the first indented."""
    if width is None:
        return [line]
    plain = line.replace("``", "`")
    return textwrap.wrap(plain, width, subsequent_indent=" " * indent, break_on_hyphens=False)


def _entry(signal: Signal) -> str:
    kind = {"double": "float64"}.get(str(signal.type), str(signal.type))
    needs = _needs(signal, "; needs ", "", "`")
    return f"### `{signal.name}`\n\n{signal.description}\n\n{kind}, version {signal.version}{needs}\n"


def _needs(signal: Signal, before: str, after: str, quote: str = "") -> str:
    """Return what a signal needs beside the text, between two texts; nothing if it needs nothing."""
    names = (*signal.columns, *(f"lists.{name}" for name in signal.lists))
    return f"{before}{' and '.join(f'{quote}{name}{quote}' for name in names)}{after}" if names else ""


def rules_page() -> str:
    """Return docs/rules.md."""
    return "\n".join([_RULES, *(_preset(preset) for preset in PRESETS.values())])


def parity_page() -> str:
    """Return docs/parity.md: what is compared with datatrove, and every intended difference, those of edits last."""
    rows = [
        f"| {of} | `{name}` | {there} | {here} |\n"
        for of, differences in (("presets", DIFFERENCES), ("edits", EDIT_DIFFERENCES))
        for name, (there, here) in differences.items()
    ]
    return _PARITY + "".join(rows)


def _preset(preset: Preset) -> str:
    also = f" Also called {', '.join(f'`{alias}`' for alias in preset.aliases)}." if preset.aliases else ""
    rows = [f"| `{rule.code}` | {_drops(rule)} |" for rule in preset.rules]
    return "\n".join([f"## {preset.name}\n\n{preset.source}.{also}\n", "| reason | drops |", "|---|---|", *rows, ""])


def _drops(rule: Rule) -> str:
    """Return what a rule of a preset drops, such as ``< 50, where language is `fr```."""
    told = f"{'<' if rule.side == 'min' else '>'} {rule.bound:,}"
    for word, condition in (("where", rule.where), ("unless", rule.unless)):
        if condition:
            told += f", {word} `{condition[0]}` is {' or '.join(f'`{text}`' for text in condition[1])}"
    return told


PAGES: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {"signals.md": signals_page, "rules.md": rules_page, "parity.md": parity_page}
)


def write(folder: Path) -> Iterable[Path]:
    """Yield each page's path after it is written."""
    for name, page in PAGES.items():
        path = folder / name
        path.write_text(page(), encoding="utf-8")
        yield path


if __name__ == "__main__":
    for written in write(Path(sys.argv[1])):
        sys.stdout.write(f"{written}\n")
