"""Planted copies: exact and near duplicates, pages fetched twice, outdated pages; and benchmark items quoted."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files

from gristmill.sample.pages import (
    Chain,
    Page,
    Supply,
    article_page,
    dropped,
    home,
    other_sites,
    sentences,
)
from gristmill.sample.prose import Article
from gristmill.sample.sites import page_html

_CLUSTERS = (("en", 2), ("en", 3), ("de", 2), ("en", 4), ("fr", 3), ("en", 2), ("es", 2), ("en", 2))
_CHANGED = {
    "en": "Anyone who knows a better way is asked to write to us.",
    "de": "Wer einen besseren Weg kennt, möge uns bitte schreiben.",
}
_QUOTED = ("sample-01", "sample-03", "sample-06", "sample-08", "sample-10", "sample-12", "sample-13", "sample-14")
_LANGUAGES = {"sample-13": "de", "sample-14": "fr"}
_FRAMES = {
    "en": "One question of the last quiz evening went like this. {} The room was silent for a while.",
    "de": "Eine Frage des letzten Rätselabends lautete so. {} Eine Weile blieb es still im Saal.",
    "fr": "Une question du dernier concours était celle-ci. {} La salle resta un moment silencieuse.",
}


def copies(supplied: Supply) -> list[Chain]:
    """Return every planted chain of pages that were made from one article, and the pages that quote a benchmark."""
    return [
        *exact_duplicates(supplied),
        *same_second_duplicates(supplied),
        *refetched(supplied),
        *near_duplicates(supplied),
        *outdated_copies(supplied),
        *((page,) for page in quotes(supplied)),
    ]


def exact_duplicates(supplied: Supply) -> list[Chain]:
    """Return clusters of one text on several hosts, each with a template and an address of its own."""
    return [_cluster(next(supplied[language]), size, f"exact-{n}") for n, (language, size) in enumerate(_CLUSTERS)]


def same_second_duplicates(supplied: Supply) -> list[Chain]:
    """Return pairs of one text that are fetched within one second: the smaller id survives."""
    clusters = (_cluster(next(supplied["en"]), 2, f"tie-{number}") for number in range(3))
    return [(first, replace(second, same_second=True)) for first, second in clusters]


def _cluster(article: Article, size: int, family: str) -> Chain:
    site = home(article)
    sites = (site, *other_sites(site))[:size]
    return tuple(replace(article_page(article, "exact_duplicate", each), family=family) for each in sites)


def refetched(supplied: Supply) -> list[Chain]:
    """Return pages that are fetched twice and had not changed."""
    languages = ("en", "en", "en", "de")
    pages = (article_page(next(supplied[language]), "refetched") for language in languages)
    return [(replace(page, family=f"refetched-{number}"),) * 2 for number, page in enumerate(pages)]


def near_duplicates(supplied: Supply) -> list[Chain]:
    """Return articles and copies of them, on other hosts, in which one sentence was changed: both are kept."""
    chains = []
    for number, language in enumerate(("en", "en", "en", "en", "en", "en", "de", "de")):
        article = next(supplied[language])
        first = article_page(article, "near_duplicate")
        second = article_page(reworded(article), "near_duplicate", other_sites(first.site)[0])
        chains.append(tuple(replace(page, family=f"near-{number}") for page in (first, second)))
    return chains


def reworded(article: Article) -> Article:
    """Return an article with another sentence in place of the last one."""
    *kept, last = article.paragraphs
    found = sentences(last)
    changed = " ".join((*found[:-1], _CHANGED[article.language]))
    return replace(article, paragraphs=(*kept, changed))


def outdated_copies(supplied: Supply) -> list[Chain]:
    """Return addresses that are fetched twice and say something else the second time: both are kept."""
    chains = []
    for number, language in enumerate(("en", "en", "en", "en", "fr")):
        older, newer = next(supplied[language]), next(supplied[language])
        first = article_page(older, "outdated_copy")
        second = replace(
            article_page(newer, "updated_copy", first.site),
            url=first.url,
            body=page_html(newer, first.site, first.url).encode(),
        )
        chains.append(tuple(replace(page, family=f"outdated-{number}") for page in (first, second)))
    return chains


def quotes(supplied: Supply) -> list[Page]:
    """Return articles that quote a benchmark: a whole question, which drops them, or nine words, which do not."""
    pages = []
    for item in _QUOTED:
        language = _LANGUAGES.get(item, "en")
        page = _quoting(next(supplied[language]), questions()[item], "contaminated")
        pages.append(dropped(page, "decontaminate", "decontaminate.contaminated_ngram_count.max"))
    for item in ("sample-02", "sample-07", "sample-11"):
        some = " ".join(questions()[item].split()[:9]) + "."
        pages.append(_quoting(next(supplied["en"]), some, "short_quote"))
    return pages


@cache
def questions() -> dict[str, str]:
    """Return the question of each item of the sample's benchmark by its id."""
    lines = files("gristmill.sample").joinpath("benchmark.jsonl").read_text(encoding="utf-8").splitlines()
    return {item["id"]: item["question"] for item in map(json.loads, lines)}


def _quoting(article: Article, quote: str, case: str) -> Page:
    first, *rest = article.paragraphs
    framed = _FRAMES[article.language].format(quote)
    quoting = replace(article, paragraphs=(first, framed, *rest))
    return article_page(quoting, case)
