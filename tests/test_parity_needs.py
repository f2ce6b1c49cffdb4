"""datatrove's own filters with lists by language, run on the same texts: same verdict, same first reason.

Intended differences are those in ``gristmill.filters.catalogue.DIFFERENCES``.
"""

from __future__ import annotations

import gzip
import json
from unittest import mock

import pyarrow as pa
import pytest
from datatrove.data import Document
from datatrove.pipeline.filters import FineWebQualityFilter, c4_filters
from datatrove.pipeline.filters.c4_filters import C4BadWordsFilter
from datatrove.pipeline.filters.gopher_quality_filter import GopherQualityFilter
from datatrove.pipeline.filters.gopher_repetition_filter import GopherRepetitionFilter
from datatrove_filters import REASONS, given_words
from real_texts import real_texts

from gristmill.filters.catalogue import DIFFERENCES
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline.presets import find_config, find_preset
from gristmill.pipeline.word_files import read_words


def word_lists(where):
    return WordLists({label: tuple(words) for label, words in read_words(str(where)).items()})


def bad_word_verdicts(rows, language, lists):
    """Whether our preset keeps each text."""
    columns = {"language": pa.array([language] * len(rows))}
    values = measure(
        pa.array(rows, pa.large_string()), SignalsSettings(families=["bad_words"]), columns, {"bad_words": lists}
    )
    return evaluate(rules_of(FilterSettings(use=["c4_bad_words"])), values, len(rows)).column("keep").to_pylist()


def their_filter(folder):
    """datatrove's filter, reading the lists of a folder in place of those it would fetch."""

    def path_of(url, **_):
        return str(folder / f"{url.rpartition('/')[2]}.txt")

    return mock.patch.object(c4_filters, "cached_asset_path_or_download", path_of)


def sprinkled(rows, words):
    """Texts with listed words put into them, at the ends, within words and between marks."""
    forms = ("{} {}", "{}{}", "{}. {}!", "{}_{}", "{} {}́", "{}\n{}\n", "{}-{}s")
    return [
        forms[n % len(forms)].format(rows[n % len(rows)][:200], word.upper() if n % 2 else word)
        for n, word in enumerate(words * 3)
    ]


@pytest.mark.data
def test_bad_words_are_datatroves_on_real_texts(data):
    folder = data / "lists" / "ldnoobw"
    lists, rows = word_lists(folder), real_texts(data)
    dropped = 0
    with their_filter(folder):
        for path in sorted(folder.glob("*.txt")):
            language = path.stem
            given = [*rows[:: 1 if language == "en" else 20], *sprinkled(rows, lists.words[language]), "", "\0", "Σ"]
            filter_ = C4BadWordsFilter()
            theirs = [
                filter_.filter(Document(text=row, id="0", metadata={"language": language})) is True for row in given
            ]
            ours = bad_word_verdicts(given, language, lists)
            unlike = [row for row, a, b in zip(given, theirs, ours, strict=True) if a != b]
            assert not unlike, (language, unlike[:1])
            dropped += theirs.count(False)
    assert dropped > 1000


def test_differences_of_bad_words_are_named(tmp_path):
    (tmp_path / "en.txt").write_text("χοσ\nχος\n")
    lists = word_lists(tmp_path)
    with their_filter(tmp_path):
        filter_ = C4BadWordsFilter()
        filter_._badwords_regex["en"] = c4_filters.re.compile(r"(?:\W|^)(χοσ)(?:\W|$)")
        assert filter_.filter(Document(text="ΧΟΣ", id="0")) is True
        assert bad_word_verdicts(["ΧΟΣ"], "en", lists) == [False]
        with pytest.raises(ValueError, match="There is not badwords list"):
            filter_.filter(Document(text="x", id="0", metadata={"language": "xx"}))
    assert bad_word_verdicts(["x"], "xx", lists) == [True]
    assert {"case_of_sigma", "unlisted_language", "kept_at_random"} <= set(DIFFERENCES)


# --- FineWeb-2 -------------------------------------------------------------------------------------------------------

LANGUAGES = {"fra_Latn": "fr", "deu_Latn": "de", "rus_Cyrl": "ru", "spa_Latn": "es", "cmn_Hani": "zh"}
OUR_REASONS = {
    **REASONS["gopher_repetition"],
    **REASONS["fineweb"],
    **REASONS["gopher_quality"],
    "gopher_enough_stop_words": "language_stop_word_count.min",
}


def fineweb2_filters(config):
    """The three filters as FineWeb-2's pipeline makes them of a language's values."""
    at = config.numbers
    return (
        GopherRepetitionFilter(
            dup_para_frac=0,
            dup_line_char_frac=0,
            dup_para_char_frac=0,
            dup_line_frac=at["dup_line_frac"],
            top_n_grams=tuple(config.top_ngrams.items()),
            dup_n_grams=tuple(config.dup_ngrams.items()),
        ),
        FineWebQualityFilter(
            short_line_thr=999,
            char_duplicates_ratio=0.1,
            line_punct_thr=at["line_punct_thr"],
            new_line_ratio=at["new_line_ratio"],
        ),
        GopherQualityFilter(
            max_avg_word_length=at["max_avg_word_length"],
            min_avg_word_length=at["min_avg_word_length"],
            stop_words=list(config.stop_words),
            max_non_alpha_words_ratio=at["max_non_alpha_words_ratio"],
            min_stop_words=2,
        ),
    )


def their_reason(filters, text):
    for filter_ in filters:
        verdict = filter_.filter(Document(text=text, id="0"))
        if verdict is not True:
            return OUR_REASONS[verdict[1]]
    return None


def language_texts(data, language):
    """Paragraphs of a language's encyclopedia, alone and joined, and texts of all kinds."""
    with gzip.open(data / "text" / "wikipedia_paragraphs_12lang.jsonl.gz", "rt", encoding="utf-8") as lines:
        own = [row["text"] for row in map(json.loads, lines) if row["lang"] == LANGUAGES[language]]
    joined = [".\n".join(own[start : start + 4]) for start in range(0, len(own), 4)]
    return [row for row in [*own[:150], *joined[:150], *real_texts(data)[::12]] if row.strip()]


@pytest.mark.data
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_languages_preset_is_datatroves_filters_with_its_values(data, language):
    where = str(data / "lists" / "fineweb2_configs.tar.gz")
    config, rows = find_config(language, where), language_texts(data, language)
    with given_words("unicode"):
        theirs = [their_reason(fineweb2_filters(config), row) for row in rows]
    name = f"fineweb2/{language}"
    settings = FilterSettings.model_validate({"use": [name], "fineweb2": {"configs": where}})
    rules = [rule for rule in find_preset(name, settings).rules if rule.signal != "language_score"]
    families = ["gopher_repetition", "gopher_quality", "fineweb", "stop_words"]
    labels = pa.array([LANGUAGES[language]] * len(rows))
    said = {"stop_words": WordLists({LANGUAGES[language]: config.stop_words})}
    values = measure(pa.array(rows, pa.large_string()), SignalsSettings(families=families), {"language": labels}, said)
    columns = {**dict(zip(values.schema.names, values.columns, strict=True)), "language": labels}
    found = evaluate(rules, columns, len(rows)).column("reason").to_pylist()
    ours = [reason and reason.removeprefix(f"{name}.") for reason in found]
    unlike = [(row[:200], a, b) for row, a, b in zip(rows, theirs, ours, strict=True) if a != b]
    assert not unlike, (len(unlike), unlike[:3])
    assert None in ours
    assert len(set(ours)) > 6
