"""Deduplication that cuts spans, on whole runs: what later steps read, and what may not change it."""

from __future__ import annotations

import io
import random

import pytest
import reference_dedup_lines as reference
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from test_dedup_stage import spread

from gristmill import schema
from gristmill.errors import UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.doubts import doubts
from gristmill.pipeline.ledger import flows
from gristmill.report.card_steps import steps_section
from gristmill.report.explain import explain, render_explanation
from gristmill.report.stats import collect

LINES = "  - dedup: {lines: {}}\n"
SIGNALS = "  - signals: {families: [gopher_quality]}\n"


def left(run, stages=1):
    """The text that a step after the last dedup reads of each document, by id; None for one without."""
    found = {}
    for shard in run.plan.shards:
        for table in run.texts(run.plan.step("signals"), shard, [schema.ID, schema.TEXT]):
            found |= dict(zip(*(table.column(name).to_pylist() for name in (schema.ID, schema.TEXT)), strict=True))
    return found


def layer(run, step="dedup"):
    """A step's layer, by id."""
    found = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        found |= dict(zip(ids, run.read(run.plan.step(step), shard).to_pylist(), strict=True))
    return found


def made(folder, documents, kind, name="mill"):
    return carry_out(make_run(folder, {"x": documents}, f"  - dedup: {{{kind}}}\n{SIGNALS}", name))


def test_all_copies_of_a_line_but_the_first_are_cut(tmp_path):
    documents = [
        Document("b", "Menu 1\nown b\n\nFooter", day=1),
        Document("a", "menu 2\n\nown a\nFooter\n", day=2),
        Document("c", "footer\n  MENU 3 ", day=0),
        Document("d", None),
        Document("e", "Menu 5\nFooter", day=3),
    ]
    run = made(tmp_path, documents, "lines: {}")
    assert left(run) == {"c": "footer\n  MENU 3 ", "b": "own b", "a": "own a", "d": None, "e": ""}
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    b = layer(run)["b"]
    assert [(e[schema.START], e[schema.END], e[schema.REASON]) for e in b[schema.EDITS]] == [
        (0, 7, "lines.repeated"),
        (12, 20, "lines.repeated"),
    ]
    facts = ("edit_count", "cut_byte_ratio", "cut_unit_count", "kept_unit_count")
    assert [b[name] for name in facts] == [2, 0.75, 2, 1]
    assert [layer(run)["d"][name] for name in facts] == [None] * 4
    assert layer(run, "dedup.keep")["e"][schema.REASON] == "dedup.lines.text_bytes.min"
    bytes_of = {flow.stage: (flow.bytes_in, flow.bytes_kept) for flow in flows(run, run.plan.deciders)}
    assert bytes_of["dedup"] == (70, 26)


def test_llama3_cuts_every_copy_of_a_line_that_stands_more_than_six_times(tmp_path):
    six = [Document(f"a{i}", f"six times\nown {i}") for i in range(6)]
    seven = [Document(f"b{i}", f"own too {i}\nseven times") for i in range(6)]
    both = Document("c", "seven times\n  Six times")
    found = left(made(tmp_path, [*six, *seven, both], "lines: {meaning: llama3}"))
    assert {found[f"a{i}"] for i in range(6)} == {f"six times\nown {i}" for i in range(6)}
    assert {found[f"b{i}"] for i in range(6)} == {f"own too {i}" for i in range(6)}
    assert found["c"] == "  Six times"


def test_c4_cuts_three_sentences_in_a_row(tmp_path):
    documents = [
        Document("a", "One. Two. Three. Four.", day=0),
        Document("b", "Zero. One. Two. Three.\nFive.", day=1),
        Document("c", "One. Two. Four.", day=2),
        Document("d", "Two.\nThree. Four. One. Two. Three.", day=3),
    ]
    found = left(made(tmp_path, documents, "lines: {meaning: c4}"))
    assert found == {"a": "One. Two. Three. Four.", "b": "Zero.\nFive.", "c": "One. Two. Four.", "d": ""}


def test_c4_code_cuts_lines_in_any_case(tmp_path):
    documents = [Document("a", "A line 1.\nB.", day=0), Document("b", " a LINE 1.\nA line 2.", day=1)]
    assert left(made(tmp_path, documents, "lines: {meaning: c4_code}"))["b"] == "A line 2."


def words(*numbers):
    return " ".join(f"w{number}" for number in numbers)


def test_a_paragraph_is_cut_of_which_more_than_the_share_was_seen(tmp_path):
    documents = [
        Document("a", words(*range(30)), day=0),
        Document("b", f"{words(*range(16))} x\n{words(*range(17))} x\nshort line", day=1),  # 4 of 5, 5 of 6 n-grams
        Document("c", words(*range(50, 80)) + "\n" + words(*range(50, 80)), day=2),
        Document("d", words(*range(30)) + "\nshort line", day=3),
    ]
    run = made(tmp_path, documents, "paragraphs: {}")
    found = left(run)
    assert found["a"] == documents[0].text
    assert found["b"] == f"{words(*range(16))} x\nshort line"
    assert found["c"] == words(*range(50, 80)), "an n-gram of an earlier paragraph was seen"
    assert found["d"] == "short line"
    ratios = {identity: row["seen_ngram_ratio"] for identity, row in layer(run).items()}
    assert ratios == {"a": 0.0, "b": 9 / 11, "c": 0.5, "d": 1.0}
    reasons = {identity: row[schema.REASON] for identity, row in layer(run, "dedup.keep").items()}
    seen = "dedup.paragraphs.seen_ngram_ratio.max"
    assert reasons == {"a": None, "b": seen, "c": None, "d": seen}
    off = "paragraphs: {}, keep: {seen_ngram_ratio: {max: null}}"
    assert not [
        row for row in layer(made(tmp_path, documents, off, "off"), "dedup.keep").values() if row[schema.REASON]
    ]


def test_who_came_first_is_what_the_survivor_says(tmp_path):
    documents = [Document("a", "line\nlonger", day=0), Document("b", "line", day=1), Document("c", "line", day=1)]
    assert left(made(tmp_path, documents, "lines: {}"))["a"] == "line\nlonger"
    newest = left(made(tmp_path, documents, "lines: {}, survivor: newest", "newest"))
    first = min("bc", key=reference.key)
    assert newest == {"a": "longer", "b": "", "c": ""} | {first: "line"}


def test_lines_are_compared_within_a_scope(tmp_path):
    documents = [Document(str(i), "line", url) for i, url in enumerate(["http://a/1", "http://a/2", "http://b/", None])]
    found = left(made(tmp_path, documents, "lines: {}, scope: host"))
    assert sorted(found.values()) == ["", "line", "line", "line"]
    assert "" in (found["0"], found["1"])


def test_dropped_documents_are_neither_compared_nor_cut(tmp_path):
    documents = [Document("a", "word\nline"), Document("b", "line\n" + "word " * 9), Document("c", "line\n" + "x " * 9)]
    stages = f"{SIGNALS}  - filter: {{house: {{word_count: {{min: 5}}}}}}\n{LINES}  - signals: {{families: [c4]}}\n"
    run = carry_out(make_run(tmp_path, {"x": documents}, stages))
    rows = layer(run)
    assert (rows["a"][schema.EDITS], rows["a"][schema.TEXT_BYTES], rows["a"]["edit_count"]) == ([], 9, None)
    assert sorted(rows[name]["cut_unit_count"] for name in "bc") == [0, 1]
    assert [finding.broken for finding in audit(run)] == [[]] * 7


def test_stages_follow_each_other_and_read_what_is_left(tmp_path):
    documents = [Document("a", "top\nbody"), Document("b", "top\nbody"), Document("c", "top\nrest")]
    edit, exact, again = "{citations: {}}", "{exact: text}", "{lines: {equal: text}}"
    stages = f"  - edit: {edit}\n{LINES}  - dedup: {exact}\n  - dedup: {again}\n{SIGNALS}"
    run = carry_out(make_run(tmp_path, {"x": documents}, stages))
    assert run.plan.step("dedup-2").inputs == ("extract", "edit.keep", "dedup.keep", "edit", "dedup")
    assert set(layer(run, "dedup-3").values().__iter__().__next__()) >= {"edits", "cut_unit_count"}
    assert [finding.broken for finding in audit(run)] == [[]] * 7


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        ("{exact: text, keep: {cut_byte_ratio: {max: 1}}}", "'exact' drops whole documents"),
        ("{lines: {}, keep: {cut_bytes_ratio: {max: 1}}}", "did you mean 'cut_byte_ratio'?"),
        ("{lines: {}, exact: text}", "here is exact and lines"),
        ("{lines: {}, against: [old]}", "'lines' cannot go 'against' older runs"),
        ("{lines: {meaning: llama}}", "'ccnet', 'c4', 'c4_code' or 'llama3'"),
        ("{lines: {spn: 3}}", "did you mean 'span'?"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, stage, message):
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, f"  - dedup: {stage}\n")
    assert message in str(caught.value)
    assert "mill.yaml:5)" in str(caught.value)


# --- laws -----------------------------------------------------------------------------------------------------------

CORPORA = st.lists(
    st.builds(
        Document,
        id=st.just(""),
        text=st.one_of(
            st.none(), st.lists(st.sampled_from(["one", "Two", "two!", "", "a b. c d. e f.", "\0", "é 1"]), max_size=5)
        ),
        url=st.sampled_from(["http://a.org/", "http://b.org/", None]),
        day=st.sampled_from([None, 0, 1]),
    ),
    max_size=10,
).map(
    lambda ds: [
        Document(f"d/{i}", None if d.text is None else "\n".join(d.text), d.url, d.day) for i, d in enumerate(ds)
    ]
)

KINDS = (
    "lines: {}",
    "lines: {meaning: c4}, survivor: newest",
    "lines: {meaning: llama3, most: 2, bucket_documents: 4}",
    "lines: {unit: sentence, span: 2, equal: normalized_text}, scope: host",
    "paragraphs: {ngram: 2, fewest_words: 1, most_seen: 0.4}, survivor: longest",
)


@settings(max_examples=15)
@given(
    documents=CORPORA, kind=st.sampled_from(KINDS), seed=st.integers(0, 99), names=st.sampled_from(["a", "ab", "abcde"])
)
def test_neither_the_order_nor_the_number_of_shards_changes_anything(tmp_path_factory, documents, kind, seed, names):
    folder, stages = tmp_path_factory.mktemp("laws"), f"  - dedup: {{{kind}}}\n{SIGNALS}"
    one = carry_out(make_run(folder, {"only": documents}, stages, "one"))
    other = carry_out(make_run(folder, spread(documents, names, seed), stages, "other"), reverse=True)
    assert layer(one) == layer(other)
    assert left(one) == left(other)
    assert [finding.broken for finding in audit(other)] == [[]] * 7


def test_a_killed_run_is_resumed_with_the_same_bytes(tmp_path):
    """Files vanish as where a run was killed before they had their names; what is there is not done again."""
    chance = random.Random(5)
    documents = [Document(f"d/{i}", f"line {i % 7}\nx {i % 3} y z\nown {i:b}", day=i % 3) for i in range(40)]
    stages = "  - dedup: {lines: {equal: text}}\n  - dedup: {paragraphs: {ngram: 2, fewest_words: 2}}\n"
    run = carry_out(make_run(tmp_path, spread(documents, "abc", 1), stages))
    files = sorted(p for p in (tmp_path / "mill").glob("dedup*/**/*.*"))
    whole = {path: path.read_bytes() for path in files}
    for _ in range(3):
        lost = chance.sample(files, chance.randrange(1, len(files)))
        for path in lost:
            path.unlink()
        times = {path: path.stat().st_mtime_ns for path in files if path not in lost}
        carry_out(run, reverse=True)
        assert {path: path.read_bytes() for path in files} == whole
        assert {path: path.stat().st_mtime_ns for path in times} == times


@pytest.mark.parametrize("kind", ["lines: {meaning: c4}", "lines: {meaning: llama3}", "paragraphs: {}"])
def test_the_pathological_ends_well(tmp_path, kind):
    page = " ".join(f"The same template {i}." for i in range(20)) + "\nSold by us. To you. And them.\n"
    documents = [Document(f"d/{i:04}", page) for i in range(600)]
    documents += [
        Document("e", ""),
        Document("f", "\n" * 1000),
        Document("g", "a. b. c. d " * 100_000),
        Document("h", "x" * 10**6),
    ]
    documents += [Document(f"u/{i}", f"nobody has {i}. nor {i}. nor {-i}.") for i in range(50)]
    run = made(tmp_path, documents, kind)
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    found = left(run)
    assert found["h"] == "x" * 10**6
    assert found["u/7"] == documents[-43].text
    changed = {identity: text for identity, text in found.items() if identity.startswith("d") and text != page}
    assert len(changed) == (600 if "llama3" in kind else 599)
    assert set(changed.values()) == {page.split("\n", 1)[1] if "paragraphs" in kind else ""}


# --- what is told ---------------------------------------------------------------------------------------------------


def test_explain_shows_what_was_cut_and_why(tmp_path):
    documents = [Document("a", "Menu\nown a"), Document("b", "Menu\nown b")]
    run = made(tmp_path, documents, "lines: {}, keep: {kept_unit_count: {min: 2}}")
    gone = max("ab", key=reference.key)
    console = Console(width=100, record=True, file=io.StringIO())
    for explanation in explain(run, "http://example.org/"):
        console.print(render_explanation(explanation, text="edited"))
    shown = console.export_text()
    assert f"[-Menu␊-]{{lines.repeated}}own {gone}" in shown.replace("\n-]", "␊-]")
    assert "dedup.lines.kept_unit_count.min" in shown
    assert "cut_byte_ratio" in shown


def test_the_card_and_the_funnel_tell_of_it(tmp_path):
    run = made(tmp_path, [Document("a", "x\ny"), Document("b", "x")], "lines: {meaning: llama3, most: 1}")
    stats = collect(run)
    card = steps_section(stats)
    assert "llama3" in card
    assert "dedup.lines.text\\_bytes.min" in card or "dedup.lines.text_bytes.min" in card
    assert [row["bytes_kept"] for row in stats["funnel"] if row["stage"] == "dedup"] == [1]
    assert "cut_unit_count" in {signal["signal"] for signal in stats["signals"]}


def test_a_dedup_that_cuts_nearly_all_names_the_likely_cause(tmp_path):
    pages = [Document(f"d/{i:04}", "Not found\nat all" if i else "a page") for i in range(1000)]
    said = doubts(made(tmp_path, pages, "lines: {}"))["dedup"]
    assert said.startswith(
        "dedup cuts 15,968 of 15,990 bytes in 1,000 documents as copies. Likely cause: 998 pages are "
    )
    (tmp_path / "quiet").mkdir()
    assert "dedup" not in doubts(made(tmp_path / "quiet", pages, "lines: {}, warn: false"))
    (tmp_path / "few").mkdir()
    assert "dedup" not in doubts(made(tmp_path / "few", pages[:999], "lines: {}"))
    (tmp_path / "unlike").mkdir()
    unlike = [Document(f"d/{i}", f"{i:b}".translate({48: "a", 49: "b"})) for i in range(10_001)]
    said = doubts(made(tmp_path / "unlike", unlike, "lines: {}"))["dedup"]
    assert said.startswith("dedup cuts nothing of 10,001 documents. Likely cause: the source may have been dedup")
