"""From the labels of any model to the codes of ISO 639 and ISO 15924.

Codes, retired ones too, and macrolanguages are those of SIL's tables, as python-iso639 has them; scripts that a label
does not name are the likely ones of Unicode's CLDR, as Babel has them. What a text is really written in is not looked
at: the signal ``main_script`` measures that.

Models that name languages by two letters where they can (lid.176) have their labels from Wikipedia's host names, two of
which mean something else than in ISO 639-3: see ``WIKIPEDIA``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from types import MappingProxyType
from typing import Final, NamedTuple

import iso639
from babel.core import get_global

from gristmill.classifiers.settings import LabelScheme
from gristmill.errors import RecipeError

WIKIPEDIA: Final[Mapping[str, str]] = MappingProxyType({"als": "gsw", "bh": "bho"})
"""Labels of Wikipedia's that ISO 639-3 has not, or has for another language.

``als`` is Alemannic (Tosk Albanian in ISO 639-3), ``bh`` Bihari, a collection whose Wikipedia is in Bhojpuri.
"""

_SPECIAL: Final = "S"
_UNDETERMINED_SCRIPT: Final = "Zyyy"
_LABEL: Final = re.compile(r"([a-z]{2,3})(?:[_-]([A-Z][a-z]{3}))?(?:[_-].+)?")


class Codes(NamedTuple):
    """A language by ISO 639-3, by ISO 639-1 (None if neither it nor its macrolanguage has one), and by script.

    ``whole`` is its macrolanguage by ISO 639-3, or itself if it is in none.
    """

    part3: str
    part1: str | None
    script: str
    whole: str


_COLLECTIONS: Final[Mapping[str, Codes]] = MappingProxyType({"nah": Codes("nah", None, "Latn", "nah")})
"""What models know that is no language of ISO 639-3: Nahuatl, whose code is one of ISO 639-2."""


def versions() -> dict[str, str]:
    """Return the versions of the tables."""
    return {"python-iso639": version("python-iso639"), "babel": version("babel")}


def renamed(labels: Sequence[str], scheme: LabelScheme) -> tuple[str, ...]:
    """Return the labels of a model as a scheme has them, in the same order; several may become one.

    ``iso639-1``: the two letters of the language or else of its macrolanguage (``yue`` is ``zh``, ``ckb`` is ``ku``),
    or else ISO 639-3. ``iso639-3``: the individual language or the macrolanguage that the label names (``zh`` is
    ``zho``, ``cmn`` is ``cmn``). ``iso639-3_script``: that, and the script. Raises RecipeError for labels that are no
    codes.

    >>> renamed(["en", "zh", "cmn_Hant", "als"], "iso639-3_script")
    ('eng_Latn', 'zho_Hans', 'cmn_Hant', 'gsw_Latn')
    """
    if scheme == "model":
        return tuple(labels)
    found = codes_of(labels)
    unknown = [label for label, codes in found.items() if codes is None]
    if unknown:
        shown = ", ".join(repr(label) for label in unknown[:5])
        raise RecipeError(
            f"labels: {scheme} needs a model whose labels are codes of languages, and {len(unknown)} of its "
            f"{len(found)} are not ({shown}); write `labels: model`"
        )
    return tuple(_written(codes, scheme) for label in labels if (codes := found[label]) is not None)


def codes_of(labels: Iterable[str]) -> dict[str, Codes | None]:
    """Return the codes of each of a model's labels; None for one that names no language.

    >>> codes_of(["no", "sh", "kab_Latn", "spam"])["sh"]
    Codes(part3='hbs', part1='sh', script='Latn', whole='hbs')
    """
    labels = list(labels)
    own = WIKIPEDIA if any(len(label) == 2 for label in labels) else {}
    return {label: _codes(own.get(label, label)) for label in labels}


def same_language(label: str, known: Sequence[str]) -> str | None:
    """Return the first of the known labels of the same language: with the script, without, or of the macrolanguage.

    None if the label is no code, or none of them is of that language.

    >>> same_language("zho_Hans", ["en", "yue", "zh"]), same_language("spam", ["en"])
    ('zh', None)
    """
    found = codes_of([*known, label])
    asked = found[label]
    if asked is None:
        return None
    each = [(name, codes) for name in known if (codes := found[name]) is not None]
    for parts in (("part3", "script"), ("part3",), ("whole",)):
        for name, codes in each:
            if all(getattr(codes, part) == getattr(asked, part) for part in parts):
                return name
    return None


def _written(codes: Codes, scheme: LabelScheme) -> str:
    if scheme == "iso639-1":
        return codes.part1 or codes.part3
    return f"{codes.part3}_{codes.script}" if scheme == "iso639-3_script" else codes.part3


def _codes(label: str) -> Codes | None:
    match = _LABEL.fullmatch(label)
    if match is None:
        return None
    language = _language(match[1])
    if language is None:
        return _COLLECTIONS.get(label)
    above = _language(language.macrolanguage) if language.macrolanguage else None
    part1 = language.part1 or (above.part1 if above else None)
    script = match[2] or _likely_script(language, above)
    return Codes(language.part3, part1, script, above.part3 if above else language.part3)


@cache
def _language(code: str) -> iso639.Language | None:
    """Return the language of a code of ISO 639-1 or 639-3; None if it has none."""
    try:
        return iso639.Language.from_part1(code) if len(code) == 2 else iso639.Language.from_part3(code)
    except iso639.LanguageNotFoundError:
        return None


def _likely_script(language: iso639.Language, above: iso639.Language | None) -> str:
    """Return the script that a language is likely to be written in; that of its macrolanguage if CLDR has none."""
    if language.type == _SPECIAL:
        return _UNDETERMINED_SCRIPT
    tags = get_global("likely_subtags")
    names = (language.part1, language.part3, *((above.part1, above.part3) if above else ()))
    likely = (tags[name].split("_")[1] for name in names if name in tags)
    return next(likely, _SCRIPTS.get(language.part3, _UNDETERMINED_SCRIPT))


_SCRIPTS: Final[Mapping[str, str]] = MappingProxyType({"eml": "Latn", "hbs": "Latn"})
"""Scripts of what CLDR has not, since it has its parts: a retired code, and Serbo-Croatian as Wikipedia writes it."""
