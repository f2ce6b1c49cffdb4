"""Planted pages that say nothing: boilerplate, spam, repetition, lists, symbols, and pages too short to keep."""

from __future__ import annotations

from dataclasses import replace

from gristmill.sample.draw import draw, shuffled
from gristmill.sample.pages import Chain, Page, Supply, dropped, last_sentence, sentences
from gristmill.sample.prose import load_prose
from gristmill.sample.sites import Site, article_html, set_page, sites_of, slug

DUPLICATE_NGRAMS = tuple(f"gopher_repetition.dup_{size}gram_char_ratio.max" for size in range(5, 11))

_PRODUCTS = ("garden sheds", "kitchen knives", "bicycle tyres", "wall clocks", "oak tables")
_ITEMS = (
    "a light hammer for the rivets",
    "two clamps that still close",
    "the long steel rule from the wall",
    "a box of sharp pencils",
    "one ball of waxed string",
    "a tin of brown polish",
    "spare blades for the small saw",
    "the blue bucket and a sponge",
    "gloves that fit in the wet",
    "a lamp with a hook on it",
    "paper bags for the seeds",
    "the green notebook of the year",
    "thin gloves and thick socks",
    "a whistle for the ferry",
    "bread for two days at least",
    "the key to the lower gate",
    "a map that may get wet",
    "four stamps and a pencil",
)
_SHORT = (
    "The workshop is open on Tuesday and Thursday from nine to five. Knock at the green door.",
    "This shelf is being moved. Please come back in the spring, when the books will be in order.",
    "The ferry does not run in winter. Ask the harbour master for the times of the small boat.",
    "Thank you for your message. We read every letter and we will write to you within the week.",
    "The recipe that was here has moved to the second page of the winter list. Look under soups.",
)
_NEWS = (
    "The old footbridge was closed on Monday after the storm had",
    "Readers have asked us for years to explain how the tide could",
    "In the second part of this long story the miller and his sons",
    "There is one thing that every beginner should know before the",
    "Our weather station has recorded the driest March that anyone",
    "The library will stay open in the evening so that people who",
    "A swarm has settled above the door of the town hall and the",
    "Nobody expected that the little railway would ever again be",
)
_MIXED = ("en", "fr", "es", "it", "pl", "de")
_TELLERS = (
    "the harbour master", "the miller", "the librarian", "the carpenter", "the postman", "the teacher",
    "the ferryman", "the baker", "the surveyor", "the gardener", "the doctor", "the clockmaker",
)  # fmt: skip


def failing(supplied: Supply, seed: int) -> list[Chain]:
    """Return every planted page that a rule drops for what its text is like, or that has no text of its own."""
    single = (
        *boilerplate(),
        *repeated_lines(supplied),
        *repeated_phrases(seed),
        *bullets(seed),
        *teasers(seed),
        *hashtags(seed),
        *tables(seed),
        *short_pages(),
        *mixed_languages(supplied),
    )
    return [*keyword_spam(), *((page,) for page in single)]


def boilerplate() -> list[Page]:
    """Return pages of menus, links and notices around nothing: extraction finds no text."""
    sites = (*sites_of("en")[:4], sites_of("de")[0], sites_of("fr")[0])
    pages = (_page("boilerplate", site, "index", site.name, "") for site in sites)
    return [dropped(page, "extract", "extract.empty") for page in pages]


def keyword_spam() -> list[Chain]:
    """Return pages that repeat what they sell; some stand on two hosts and fall by the rules, not as duplicates."""
    return [_spam(product, place) for place, product in enumerate(_PRODUCTS)]


def _spam(product: str, number: int) -> Chain:
    lines = [
        f"Buy cheap {product} in {place} today. The best {product} shop in {place} has the best prices "
        f"and fast delivery of cheap {product} to your door."
        for place in load_prose("en").phrases["places"]
    ]
    body = article_html(f"Cheap {product} online", lines)
    sites = sites_of("en")[number : number + 1 + number % 2]
    pages = (_page("keyword_spam", site, product, f"Cheap {product} online", body) for site in sites)
    family = f"spam-{number}" if len(sites) > 1 else None
    return tuple(replace(dropped(page, "filter", *DUPLICATE_NGRAMS), language="en", family=family) for page in pages)


def repeated_lines(supplied: Supply) -> list[Page]:
    """Return articles with one line thirty times: as lines of a paragraph, or as items of a list."""
    line = "Please switch on the player to hear this programme."
    tails = ("<p>" + f"{line}<br>\n" * 30 + "</p>", "<ul>" + f"<li>{line}</li>\n" * 30 + "</ul>")
    pages = []
    for number, site in enumerate(sites_of("en")[:5]):
        article = next(supplied["en"])
        body = article_html(article.title, article.paragraphs) + tails[number % 2]
        page = _page("repeated_lines", site, f"programme {number}", article.title, body)
        page = replace(page, contains=last_sentence(article))
        pages.append(_filtered(page, "gopher_repetition.dup_line_ratio.max"))
    return pages


def repeated_phrases(seed: int) -> list[Page]:
    """Return pages of lines that differ only in their beginning."""
    refrain = "stood up in the hall and said that the bridge must be mended before the winter or not at all"
    pages = []
    for number, site in enumerate(sites_of("en")[3:7]):
        tellers = shuffled(_TELLERS, seed, "tellers", number)
        lines = [f"On that evening {teller} {refrain}." for teller in tellers]
        page = _page("repeated_phrases", site, f"meeting {number}", "The meeting", article_html("The meeting", lines))
        pages.append(_filtered(page, *DUPLICATE_NGRAMS))
    return pages


def bullets(seed: int) -> list[Page]:
    """Return pages that are a heading and one list."""
    pages = []
    for number, site in enumerate(sites_of("en")[5:10]):
        items = "\n".join(f"<li>{item}</li>" for item in shuffled(_ITEMS, seed, "items", number))
        page = _page("bullets", site, f"list {number}", "What to take", f"<h1>What to take</h1>\n<ul>{items}</ul>")
        pages.append(_filtered(page, "gopher_quality.bullet_line_ratio.max"))
    return pages


def teasers(seed: int) -> list[Page]:
    """Return pages of sentences that break off."""
    pages = []
    for number, site in enumerate(sites_of("en")[:3]):
        ends = ("...", "…", " …")
        lines = [f"{start}{ends[number]}" for start in shuffled(_NEWS, seed, "news", number)]
        page = _page("teasers", site, f"news {number}", "News in brief", article_html("News in brief", lines))
        pages.append(_filtered(page, "gopher_quality.ellipsis_line_ratio.max"))
    return pages


def hashtags(seed: int) -> list[Page]:
    """Return pages in which every other word is a tag."""
    pages = []
    for number, site in enumerate(sites_of("en")[6:9]):
        lines = [" #".join(line.split(" ")) + "." for line in shuffled(_NEWS, seed, "tags", number)]
        page = _page("hashtags", site, f"tags {number}", "Seen today", article_html("Seen today", lines))
        pages.append(_filtered(page, "gopher_quality.hash_word_ratio.max"))
    return pages


def tables(seed: int) -> list[Page]:
    """Return pages in which a third of the words are numbers."""
    pages = []
    for number, site in enumerate(sites_of("en")[2:5]):
        lines = [_drawing(place, (seed, "numbers", number, place)) for place in load_prose("en").phrases["places"]]
        page = _page("numbers", site, f"draw {number}", "The village draw", article_html("The village draw", lines))
        pages.append(_filtered(page, "gopher_quality.alphabetic_word_ratio.min"))
    return pages


def _drawing(place: str, key: tuple[object, ...]) -> str:
    drawn = [str(10 + draw(90, *key, turn)) for turn in range(12)]
    first, second = " ".join(drawn[:6]), " ".join(drawn[6:])
    return f"In {place} the tickets that won a prize were {first} and those that were left over were {second}."


def short_pages() -> list[Page]:
    """Return pages of two sentences."""
    pages = []
    for number, (site, text) in enumerate(zip(sites_of("en")[4:9], _SHORT, strict=True)):
        page = _page("short_page", site, f"notice {number}", "A notice", article_html("A notice", [text]))
        pages.append(_filtered(page, "gopher_quality.word_count.min"))
    return pages


def mixed_languages(supplied: Supply) -> list[Page]:
    """Return pages whose sentences change language in turn, so that no language is likely enough."""
    pages = []
    for number, site in enumerate(sites_of("en")[7:10]):
        found = [sentences("\n".join(next(supplied[language]).paragraphs)) for language in _MIXED]
        turns = [" ".join(turn) for turn in zip(*found, strict=False)]
        page = _page("mixed_languages", site, f"voices {number}", "Voices", article_html("Voices", turns))
        pages.append(dropped(page, "language", "language.language_score.min", "language.language.in"))
    return pages


def _page(case: str, site: Site, name: str, title: str, body: str) -> Page:
    url = f"https://{site.host}/{slug(name)}"
    return Page(case, site, url, set_page(site, url, title, body).encode())


def _filtered(page: Page, *reasons: str) -> Page:
    return replace(dropped(page, "filter", *reasons), language="en")
