"""jusText: a page's paragraphs, kept if they are long, have few links, and many of their language's function words.

The language is identified on the page's own text, by resiliparse's profiles of 101 languages: what ``<html lang>``
says is wrong on many pages, and with the stop words of another language jusText finds nothing. Where no language is
identified the page's word is taken; where jusText has no stop words (Chinese, Japanese, Thai, …), its
language-independent mode, which goes by length and links alone.

Source: Pomikálek 2011, https://is.muni.cz/th/o6om2/phdthesis.pdf.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gristmill.crawl.settings import ExtractSettings

_UNIDENTIFIED = "unknown"
_IDENTIFIED_CHARACTERS = 10_000
_LANG = re.compile(r"<html\b[^>]{0,2000}?\slang\s*=\s*[\"']?([a-z]{2,3})\b", re.IGNORECASE)
_HEAD_CHARACTERS = 10_000
_INDEPENDENT = {"stopwords_low": 0.0, "stopwords_high": 0.0}


def justext_text(html: str, settings: ExtractSettings) -> str | None:
    """Return the paragraphs that jusText takes for content, one a line; None if there are none."""
    from justext import core
    from lxml.etree import ParserError

    try:
        tree = core.preprocessor(core.html_to_dom(html))
    except ParserError:  # there is no element in it
        return None
    paragraphs = core.ParagraphMaker.make_paragraphs(tree)
    stop_words = stop_words_of(language_of(html, paragraphs))
    core.classify_paragraphs(paragraphs, stop_words, **({} if stop_words else _INDEPENDENT))
    core.revise_paragraph_classification(paragraphs)
    return "\n".join(paragraph.text for paragraph in paragraphs if not paragraph.is_boilerplate) or None


def language_of(html: str, paragraphs: Sequence[Any]) -> str:
    """Return the two-letter code of the language that a page's paragraphs are in, or else that it says; or "unknown".

    Judged on the first 10,000 characters of the paragraphs of 70 and more, or of all if there are none.
    """
    from resiliparse.parse.lang import detect_fast

    long = [paragraph.text for paragraph in paragraphs if len(paragraph.text) >= 70]
    text = " ".join(long or [paragraph.text for paragraph in paragraphs])[:_IDENTIFIED_CHARACTERS]
    language: str = detect_fast(text)[0]
    if language == _UNIDENTIFIED and (said := _LANG.search(html, 0, _HEAD_CHARACTERS)):
        return said[1].lower()
    return language


@functools.lru_cache
def stop_words_of(language: str) -> frozenset[str]:
    """Return jusText's stop words of a language, by its code; none if it has none."""
    from justext import get_stoplist

    return get_stoplist(STOP_LISTS[language]) if language in STOP_LISTS else frozenset()


STOP_LISTS = {
    "af": "Afrikaans", "an": "Aragonese", "ar": "Arabic", "ast": "Asturian", "az": "Azerbaijani", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "br": "Breton", "bs": "Bosnian", "ca": "Catalan", "ceb": "Cebuano",
    "cs": "Czech", "cv": "Chuvash", "cy": "Welsh", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "eo": "Esperanto", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish",
    "fr": "French", "fy": "West_Frisian", "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "ht": "Haitian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "ig": "Igbo", "io": "Ido", "is": "Icelandic", "it": "Italian", "jv": "Javanese", "ka": "Georgian", "kk": "Kazakh",
    "kn": "Kannada", "ko": "Korean", "ku": "Kurdish", "ky": "Kyrgyz", "la": "Latin", "lb": "Luxembourgish",
    "lt": "Lithuanian", "lv": "Latvian", "mk": "Macedonian", "ml": "Malayalam", "mr": "Marathi", "ms": "Malay",
    "mt": "Maltese", "nb": "Norwegian_Bokmal", "ne": "Nepali", "nl": "Dutch", "nn": "Norwegian_Nynorsk",
    "no": "Norwegian_Bokmal", "oc": "Occitan", "pl": "Polish", "pt": "Portuguese", "qu": "Quechua", "ro": "Romanian",
    "ru": "Russian", "sh": "Serbo_Croatian", "sk": "Slovak", "sl": "Slovenian", "sq": "Albanian", "sr": "Serbian",
    "su": "Sundanese", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "te": "Telugu", "tk": "Turkmen",
    "tl": "Tagalog", "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "vo": "Volapuk", "wa": "Walloon", "yo": "Yoruba",
}  # fmt: skip
"""Languages that jusText has stop words for: codes, and its names."""
