"""Edits against their twins: the spans are valid, making them gives the twin's text, and batches change nothing."""

import random

import pyarrow as pa
import pytest
import reference_edits as reference
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import characters, text_columns, texts

from gristmill.characters import ALONE, character_classes
from gristmill.filters.edits import catalogue
from gristmill.filters.edits.characters import case_and_digits, decimals
from gristmill.filters.edits.settings import EDIT_SETTINGS, EditSettings
from gristmill.filters.edits.spans import apply_edits
from gristmill.filters.edits.terms import automaton
from gristmill.filters.pii.addresses import RESERVED

PIECES = (
    "[1]", "[12]", "[]", "[edit]", "[citation needed]", "[٣]", "[1", "wanted[7]store", "end. [3]", "中[1]文",
    "Lorem Ipsum", "JavaScript", "{", "terms of use", "Privacy Policy", "We use coo\u212aies", "use [2]cookies",
    "A sentence ends here.", "And so it does!", "Who asks?", 'He said "so"', "it's'", "too short", "three words here.",
    "ends...", "x" * 40, "SHOUT", "OK", "123", "3 likes", "1.2K Followers", "items in cart", "Read more...",
    "read more...", "Read more >>>", "Sign-in", "sign-in now", "3 items in cartoons", "***", "- - -", "=====",
    "one two three four five six seven eight nine ten eleven",
    "a.b@c.de", "x@y", "@", "a@[1.2.3.4]", "é.f@g-h.i-j", "8.8.8.8", "1.2.3.4.5", "192.168.0.1", "256.1.1.1",
    "01.2.3.4", "4111 1111 1111 1111", "GB82WEST12345698765432", "+1 (555) 010-9999", "schÃ¶n", "&amp;", "<b>",
    "â€œquotedâ€\x9d",
    "cafe\u0301", "\n", "\n\n", "\r\n", "\u2028", "\x85", "  ", " ", "\t", ". ", "\x1b[31m", "\x00",
)  # fmt: skip
PROSE = st.lists(st.one_of(st.sampled_from(PIECES), characters()), max_size=30).map("".join)
LINES = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map(" ".join), max_size=8).map("\n".join)
HOSTILE = st.one_of(PROSE, LINES, texts())

CASES = {
    "c4": ({"c4_lines": {}}, lambda text: reference.c4_lines(text)[0]),
    "c4 paper": ({"c4_lines": {"meaning": "paper"}}, lambda text: reference.c4_lines(text, "paper")[0]),
    "c4 fineweb": (
        {"c4_lines": {"terminal_punctuation": False, "longest_word": 20}},
        lambda text: reference.c4_lines(text, terminal=False, longest=20)[0],
    ),
    "c4 ellipses": (
        {"c4_lines": {"meaning": "paper", "ellipses": True}},
        lambda text: reference.c4_lines(text, "paper", ellipses=True)[0],
    ),
    "citations": ({"citations": {}}, reference.citations),
    "refinedweb": ({"refinedweb_lines": {}}, reference.refinedweb_lines),
    "repeated": ({"repeated_lines": {}}, reference.repeated_lines),
    "repeated anywhere": (
        {"repeated_lines": {"where": "anywhere", "copies_kept": "first", "copies": 3}},
        lambda text: reference.repeated_lines(text, 3, "anywhere", "first"),
    ),
    "repeated first": (
        {"repeated_lines": {"copies_kept": "first"}},
        lambda text: reference.repeated_lines(text, kept="first"),
    ),
    "symbols": ({"symbol_lines": {}}, reference.symbol_lines),
    "symbols replaced": ({"symbol_lines": {"replacement": "~"}}, lambda text: reference.symbol_lines(text, "~")),
    "ip": ({"pii": {"types": ["ip"], "replacements": {"ip": "IP"}}}, lambda text: reference.ips(text, "IP")),
    "pii": ({"pii": {"types": ["email", "ip", "iban", "card", "phone"]}}, None),
    "unicode": ({"unicode": {"normalization": "NFC"}}, None),
}
SETTINGS = {name: EditSettings.model_validate(given) for name, (given, _) in CASES.items()}
cases = pytest.mark.parametrize("case", list(CASES))


def annotated(rows, edit):
    return catalogue.annotate(pa.array(rows, pa.large_string()), edit).to_pylist()


@cases
@settings(max_examples=120)
@given(rows=st.lists(st.one_of(HOSTILE, st.none()), max_size=5))
def test_edits_are_valid_and_give_the_twins_text(case, rows):
    column = pa.array(rows, pa.large_string())
    made = catalogue.make(column, SETTINGS[case])
    layer = catalogue.annotate(column, SETTINGS[case]).to_pylist()
    twin = CASES[case][1]
    for text, edited, row in zip(rows, made.texts.to_pylist(), layer, strict=True):
        if text is None:
            assert edited is None
            assert set(row.values()) == {None}
            continue
        check_spans(text, row["edits"])
        assert edited == reference.applied(text, row["edits"])
        assert row["text_bytes"] == len(edited.encode())
        assert row["edit_count"] == len(row["edits"])
        if twin is not None:
            assert edited == twin(text)


def check_spans(text, edits):
    """Spans are in order, do not overlap, lie on character boundaries, and change something."""
    data, done = text.encode(), 0
    for edit in edits:
        assert done <= edit["start"] < edit["end"] or (done <= edit["start"] == edit["end"] and edit["replacement"])
        assert edit["end"] <= len(data)
        data[edit["start"] : edit["end"]].decode()
        assert edit["reason"]
        done = edit["end"]


@cases
@settings(max_examples=40)
@given(column=text_columns(), pieces=st.lists(HOSTILE, max_size=4), seed=st.integers(0, 9))
def test_batches_and_permutations_change_nothing(case, column, pieces, seed):
    rows, array = column
    rows = [*rows, *pieces]
    array = pa.concat_arrays([array, pa.array(pieces, array.type)])
    whole = catalogue.annotate(array, SETTINGS[case]).to_pylist()
    assert [row for text in rows for row in annotated([text], SETTINGS[case])] == whole
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    assert annotated([rows[i] for i in order], SETTINGS[case]) == [whole[i] for i in order]


@pytest.mark.parametrize("case", [name for name in CASES if name not in ("pii", "ip", "unicode")])
@settings(max_examples=120)
@given(text=HOSTILE)
def test_what_is_cut_never_joins_two_words(case, text):
    (row,) = annotated([text], SETTINGS[case])
    data, out, done = text.encode(), "", 0
    for edit in row["edits"]:
        out += data[done : edit["start"]].decode() + edit["replacement"]
        done = edit["end"]
        after = data[done:].decode()[:1]
        cut = data[edit["start"] : done].decode()
        next_goes = any(other["start"] == done for other in row["edits"])
        if out and after and not next_goes and not edit["replacement"] and cut:
            alone = bool(character_classes()[ord(after)] & ALONE)
            assert out[-1].isspace() or not after.isalnum() or alone, (edit, out[-5:], after)


@settings(max_examples=100)
@given(text=HOSTILE, meaning=st.sampled_from(["datatrove", "paper"]))
def test_what_c4_counts(text, meaning):
    _, expected = reference.c4_lines(text, meaning)
    (row,) = annotated([text], EditSettings(c4_lines={"meaning": meaning}))
    assert {name: row[name] for name in expected} == expected


def test_each_line_is_cut_for_the_first_reason():
    lines = {
        "x" * 1001 + " and no end": "long_word",
        "no end": "terminal_punctuation",
        "Too few.": "few_words",
        "Please enable JavaScript to see terms of use.": "javascript",
        "Read our privacy policy.": "policy",
    }
    (row,) = annotated(["\n".join(["It stays as it is.", *lines])], SETTINGS["c4"])
    assert [edit["reason"] for edit in row["edits"][1:]] == [f"c4_lines.{reason}" for reason in lines.values()]


def test_a_wanted_store_does_not_become_a_wantedstore():
    (row,) = annotated(["The shop is wanted[1]store of the year [2]."], SETTINGS["citations"])
    assert [edit["replacement"] for edit in row["edits"]] == [" ", ""]


def test_the_share_of_words_that_went():
    text = "SHOUTING ALL THE TIME\none two three four five six\n\n7 likes"
    (row,) = annotated([text], SETTINGS["refinedweb"])
    assert row["cut_word_ratio"] == 6 / 12
    assert row["cut_line_count"] == 2


def test_masks_are_counted_by_type_and_do_not_overlap():
    text = "mail 8.8.8.8@example.com or +44 20 7946 0958, IBAN DE89 3704 0044 0532 0130 00, card 4111-1111-1111-1111"
    settings = SETTINGS["pii"]
    (row,) = annotated([text], settings)
    counts = {name: row[f"masked_{name}_count"] for name in ("email", "ip", "iban", "card", "phone")}
    assert counts == {"email": 1, "ip": 0, "iban": 1, "card": 1, "phone": 1}
    assert catalogue.make(pa.array([text]), settings).texts.to_pylist() == [
        "mail email@example.com or [phone], IBAN [iban], card [card]"
    ]


@pytest.mark.parametrize(
    "text", ["4111111111111112", "GB82WEST12345698765433", "GB82WEST1234569876543", "+123", "12345678901234567890"]
)
def test_numbers_with_wrong_check_digits_or_lengths_stay(text):
    (row,) = annotated([f"see {text} there"], SETTINGS["pii"])
    assert row["edits"] == []


def test_hostile_texts_take_linear_time():
    size = 300_000
    for unit in (
        "a",
        "a.",
        "@",
        "a@",
        "a@a.",
        "[",
        "[1",
        "1.",
        "1.1.1.",
        "+1",
        "4 ",
        "GB82",
        " ",
        "\n",
        "x \n",
        "&a",
        "&#1",
    ):
        text = (unit * size)[:size]
        for edit in SETTINGS.values():
            annotated([text, f"a {text} read more... x"], edit)


# --- applying -------------------------------------------------------------------------------------------------------


def test_a_batch_without_edits_is_returned_as_it_is():
    column = pa.array(["a b", None, ""], pa.large_string())
    made = catalogue.make(column, SETTINGS["citations"])
    assert apply_edits(column, made.edits) is column


@settings(max_examples=60)
@given(column=text_columns())
def test_edits_of_sliced_columns_apply(column):
    rows, array = column
    for name in ("c4", "pii"):
        made = catalogue.make(array, SETTINGS[name])
        padded = pa.concat_arrays([made.edits, made.edits]).slice(len(array))
        assert apply_edits(array, padded).to_pylist() == made.texts.to_pylist()
        assert made.texts.to_pylist() == [
            None if text is None else reference.applied(text, row["edits"])
            for text, row in zip(rows, annotated(rows, SETTINGS[name]), strict=True)
        ]


@pytest.mark.parametrize(
    "edits", [[(0, 9)], [(2, 1)], [(-1, 1)], [(0, 2), (1, 3)], [(1, 3), (0, 0)], [(2, 3)]], ids=str
)
def test_edits_that_do_not_fit_are_refused(edits):
    fields = ("start", "end", "replacement", "reason")
    row = [dict(zip(fields, (start, end, "", "x"), strict=True)) for start, end in edits]
    column = pa.array([row], catalogue.layout("citations").field("edits").type)
    with pytest.raises(ValueError, match="do not fit"):
        apply_edits(pa.array(["aéb"]), column)
    with pytest.raises(ValueError, match="1 rows of edits for 2 texts"):
        apply_edits(pa.array(["a", "b"]), column)


# --- tables, settings, rules ----------------------------------------------------------------------------------------


def test_tables_hold_what_str_says():
    for point in range(0x110000):
        character = chr(point)
        bits = int(case_and_digits()[point])
        assert (bits & 1, bits >> 1, int(decimals()[point])) == (
            character.isupper(), character.isdigit(), character.isdecimal(),
        )  # fmt: skip


@given(
    line=HOSTILE,
    terms=st.lists(st.sampled_from(["use", "cookies", "use cookies", "kk", "se c", "{"]), min_size=1, unique=True),
)
def test_terms_are_found_where_lower_case_has_them(line, terms):
    following, bits = automaton(terms)
    state = found = 0
    for byte in line.encode():
        state = following[state, byte]
        found |= int(bits[state])
    assert [bool(found >> i & 1) for i in range(len(terms))] == [term in line.lower() for term in terms]


def test_reserved_networks_are_pythons():
    for network in RESERVED:
        first = network.partition("/")[0]
        assert not reference.is_public(first)
    for address in (
        "8.8.8.8",
        "224.0.0.1",
        "100.63.255.255",
        "172.32.0.0",
        "192.0.0.9",
        "192.0.1.0",
        "223.255.255.255",
    ):
        assert annotated([address], SETTINGS["ip"])[0]["masked_ip_count"] == 1


def test_a_stage_makes_one_edit():
    assert set(EDIT_SETTINGS) == set(catalogue.EDITS)
    with pytest.raises(ValidationError, match="a stage makes one edit"):
        EditSettings()
    with pytest.raises(ValidationError, match="c4_lines and pii"):
        EditSettings(c4_lines={}, pii={})
    assert EditSettings.model_validate({"pii": None}).own == EditSettings(pii={}).own


def test_published_rules_and_their_overrides():
    codes = {rule.code: rule.bound for rule in catalogue.rules_of(EditSettings(c4_lines={}))}
    assert codes == {
        "edit.c4_lines.lorem_ipsum_line_count.max": 0,
        "edit.c4_lines.curly_bracket_line_count.max": 0,
        "edit.c4_lines.kept_sentence_count.min": 5,
        "edit.c4_lines.text_bytes.min": 1,
    }
    changed = EditSettings(
        refinedweb_lines={},
        keep={"cut_word_ratio": {"max": None}, "cut_line_count": {"max": 9}, "text_bytes": {"min": 7}},
    )
    assert {rule.code: rule.bound for rule in catalogue.rules_of(changed)} == {
        "edit.refinedweb_lines.text_bytes.min": 7,
        "edit.refinedweb_lines.cut_line_count.max": 9,
    }
    with pytest.raises(ValueError, match="did you mean 'cut_word_ratio'"):
        catalogue.rules_of(EditSettings(c4_lines={}, keep={"cut_words_ratio": {"max": 1}}))
    with pytest.raises(ValueError, match="bounded by min and max"):
        catalogue.rules_of(EditSettings(c4_lines={}, keep={"edit_count": {"in": ["x"]}}))
