"""From models' labels to codes of ISO 639 and ISO 15924."""

from __future__ import annotations

import re

import pytest

from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.language.codes import codes_of, renamed, versions
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings
from gristmill.errors import MissingError, RecipeError

# A label, and what the three schemes make of it.
CASES = {
    "en": ("en", "eng", "eng_Latn"),
    "eng": ("en", "eng", "eng_Latn"),
    "eng_Latn": ("en", "eng", "eng_Latn"),
    "zh": ("zh", "zho", "zho_Hans"),
    "zho_Hant": ("zh", "zho", "zho_Hant"),
    "cmn_Hani": ("zh", "cmn", "cmn_Hani"),
    "yue": ("zh", "yue", "yue_Hant"),
    "arb_Arab": ("ar", "arb", "arb_Arab"),
    "no": ("no", "nor", "nor_Latn"),
    "nb": ("nb", "nob", "nob_Latn"),
    "nn": ("nn", "nno", "nno_Latn"),
    "sr": ("sr", "srp", "srp_Cyrl"),
    "srp_Latn": ("sr", "srp", "srp_Latn"),
    "sh": ("sh", "hbs", "hbs_Latn"),
    "ekk_Latn": ("et", "ekk", "ekk_Latn"),
    "tl": ("tl", "tgl", "tgl_Latn"),
    "ceb": ("ceb", "ceb", "ceb_Latn"),
    "pnb": ("pnb", "pnb", "pnb_Arab"),
    "min": ("ms", "min", "min_Latn"),
    "mhr": ("mhr", "mhr", "mhr_Cyrl"),
    "eml": ("eml", "eml", "eml_Latn"),
    "nah": ("nah", "nah", "nah_Latn"),
    "bh": ("bho", "bho", "bho_Deva"),
    "und": ("und", "und", "und_Zyyy"),
    "zxx_Zxxx": ("zxx", "zxx", "zxx_Zxxx"),
}
SCHEMES = ("iso639-1", "iso639-3", "iso639-3_script")


@pytest.mark.parametrize("label", CASES)
def test_labels_of_every_fashion(label):
    labels = (label, "en")
    assert tuple(renamed(labels, scheme)[0] for scheme in SCHEMES) == CASES[label]
    assert renamed(labels, "model") == labels


def test_als_is_alemannic_to_a_model_with_labels_of_two_letters_and_tosk_to_others():
    assert renamed(["als", "en"], "iso639-3_script") == ("gsw_Latn", "eng_Latn")
    assert renamed(["als_Latn", "eng_Latn"], "iso639-1") == ("sq", "en")


def test_labels_that_are_no_codes_are_refused():
    with pytest.raises(RecipeError, match=r"labels: iso639-3 needs .* 2 of its 3 are not \('hq', 'English'\); write"):
        renamed(["en", "hq", "English"], "iso639-3")
    labels = codes_of(["", "e", "EN", "en_", "xx", "xyzw", "pt-BR", "en\n"])
    assert [label for label, codes in labels.items() if codes] == ["pt-BR"]


def test_every_label_of_lid176_has_codes_and_a_script():
    try:
        labels = LanguageIdentifier(find_model("lid176"), LanguageSettings()).labels
    except MissingError as error:
        pytest.skip(str(error))
    written = renamed(labels, "iso639-3_script")
    assert len(set(written)) == len(labels) == 176
    assert all(re.fullmatch(r"[a-z]{3}_(?!Zyyy)[A-Z][a-z]{3}", label) for label in written)
    assert {
        label: code for label, code in zip(labels, renamed(labels, "iso639-1"), strict=True) if len(label) == 2
    } == {label: label for label in labels if len(label) == 2} | {"bh": "bho"}


def test_versions_of_the_tables_belong_to_the_hash():
    assert set(versions()) == {"python-iso639", "babel"}
