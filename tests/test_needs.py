"""Signals that need more than the text: columns of the document, and lists that the recipe names."""

from __future__ import annotations

import io
import json
import re
import shutil
import tarfile

import pyarrow as pa
import pytest
import reference_needs as reference
from commands import difference, inside, outputs
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import texts

from gristmill import schema
from gristmill.errors import CorruptError, MissingError, RecipeError, StaleError
from gristmill.filters import catalogue
from gristmill.filters.signals.families import FAMILIES, SIGNALS, families_with_needs, layout, measure
from gristmill.filters.signals.settings import LISTS, SignalsSettings
from gristmill.filters.signals.word_lists import WordLists
from gristmill.pipeline import list_files, lists, screens
from gristmill.pipeline.run import Run
from gristmill.pipeline.session import planned
from gristmill.pipeline.stages.rules import TEXT_COLUMNS
from gristmill.pipeline.texts import beside
from gristmill.text import WORDS

WITH_NEEDS = [family for family in FAMILIES if family in families_with_needs()]
ALL = SignalsSettings(families=WITH_NEEDS)
SAID = {
    "stop_words": {
        "en": ("the", "of", "don't", "two words", "...", ""),
        "fr": ("de", "l'", "à", "The"),
        "zh": ("中", "的"),
        "xx": (),
    },
    "bad_words": {
        "en": ("bad", "bad word", "word", "b", "don't", "bad\nword", "Cap", "i̇x", "_", "-x-"),
        "zh": ("中文", "中", "性", "a"),
        "xx": (),
    },
}
KINDS_OF_HOST = {"a": "adult", "e": "games"}


class Hosts:
    """Categories by the letters of an address."""

    def of(self, url):
        return tuple(sorted(kind for letter, kind in KINDS_OF_HOST.items() if letter in url))


SAID["ut1"] = Hosts()
OPENED = {name: WordLists(said) if isinstance(said, dict) else said for name, said in SAID.items()}
COLUMN_TYPES = {schema.URL: pa.string(), schema.LANGUAGE: pa.string()}


# --- strategies ------------------------------------------------------------------------------------------------------

LABELS = st.sampled_from([*SAID["stop_words"], "de", "", None])
URLS = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.text("ab.:/?#@[]%+-_\n\0é", max_size=30),
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["http://a.example/", "https://a.example:80/x.y/", "//h/", "a.b/", "dns:", "HTTP://h", "://"]),
        st.text("aZ9./+_-~é ", max_size=30),
        st.sampled_from(["", "?x=a.b/c.d", "#a.b", "?", "/"]),
    ),
)
LISTED = [*sum(SAID["stop_words"].values(), ()), *sum(SAID["bad_words"].values(), ()), "x", "The", "BAD", "İx"]
LISTED_WORDS = st.lists(
    st.one_of(st.sampled_from(LISTED), st.sampled_from([" ", "", "-", "\n", "_", "\u0301"])), max_size=16
).flatmap(lambda words: st.sampled_from([" ", ""]).map(lambda between: between.join(words)))
ROWS = st.lists(
    st.fixed_dictionaries({"text": st.one_of(st.none(), texts(), LISTED_WORDS), "url": URLS, "language": LABELS}),
    max_size=8,
)


def measured(rows, words="unicode", families=WITH_NEEDS):
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in COLUMN_TYPES.items()}
    column = pa.array([row["text"] for row in rows], pa.large_string())
    return measure(column, SignalsSettings(families=families, words=words), columns, OPENED)


def one(text, url=None, language=None):
    (values,) = measured([{"text": text, "url": url, "language": language}]).to_pylist()
    return values


# --- twins and laws --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", list(WORDS))
@settings(max_examples=300)
@given(rows=ROWS)
def test_signals_agree_with_their_twins(words, rows):
    expected = []
    for row in rows:
        values = dict.fromkeys(layout(ALL).names)
        if row["text"] is not None:
            for family in WITH_NEEDS:
                values |= reference.FAMILIES[family](row["text"], words, row, SAID)
        expected.append(values)
    assert measured(rows, words).to_pylist() == expected


@given(ROWS, st.data())
def test_annotation_ignores_batching(rows, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=3)))
    parts = [measured(rows[a:b]) for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    assert pa.Table.from_batches(parts).to_pylist() == measured(rows).to_pylist()


@given(ROWS.flatmap(st.permutations), st.data())
def test_annotation_commutes_with_any_permutation_of_the_rows(rows, data):
    order = data.draw(st.permutations(range(len(rows))))
    assert measured([rows[place] for place in order]) == measured(rows).take(pa.array(order, pa.int64()))


@pytest.mark.parametrize(
    ("signal", "text", "language", "expected"),
    [
        ("language_stop_word_count", "the the of The", "en", 2),
        ("language_stop_word_count", "le chat de la maison", "fr", 1),
        ("language_stop_word_count", "two words", "en", 0),
        ("language_stop_word_count", "中国的中", "zh", 2),
        ("language_stop_word_count", "the", "de", None),
        ("language_stop_word_count", "", "en", 0),
        ("language_stop_word_count", "x", "xx", 0),
        ("stop_word_ratio", "the cat of the", "en", 0.75),
        ("stop_word_ratio", "", "en", 0.0),
        ("stop_word_ratio", "the", None, None),
        ("bad_word_count", "A Bad word, bad-eared; BAD badly _bad İx", "en", 4),
        ("distinct_bad_word_count", "A Bad word, bad-eared; BAD badly _bad İx", "en", 3),
        ("bad_word_count", "Cap cap", "en", 0),
        ("bad_word_count", "x中文中性", "zh", 2),
        ("bad_word_count", "bad", "de", None),
        ("bad_word_count", "", "en", 0),
    ],
)
def test_signals_of_words_are_as_documented(signal, text, language, expected):
    assert one(text, language=language)[signal] == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://example.com/a/Setup.PY?raw=1", "py"),
        ("https://example.com/a.tar.gz#x", "gz"),
        ("https://example.com", ""),
        ("https://example.com/", ""),
        ("https://example.com/a.b/c", ""),
        ("https://example.com/?file=a.pdf", ""),
        ("https://user.name@example.com/x.c++", "c++"),
        ("https://example.com/.bashrc", ""),
        ("https://example.com/...rc", ""),
        ("https://example.com/a.", ""),
        ("https://example.com/a." + "x" * 21, ""),
        ("https://example.com/a.é", ""),
        ("example.com/a.html", "html"),
        ("", ""),
        (None, ""),
    ],
)
def test_extensions_are_as_documented(url, expected):
    assert one("x", url)["url_extension"] == expected


# --- what is needed --------------------------------------------------------------------------------------------------


def test_needs_are_columns_of_documents_or_layers_and_lists_that_there_are():
    known = {*schema.DOCUMENTS.names, *schema.LANGUAGE_LAYER.names, *LISTS}
    assert {name for signal in SIGNALS.values() for name in signal.needs} <= known
    assert set(lists.KINDS) == set(LISTS)
    for name in LISTS:
        assert any(name in signal.lists for signal in SIGNALS.values()), f"no signal reads lists.{name}"
        assert f"| `{name}` |" in catalogue.signals_page()


@pytest.mark.parametrize("family", WITH_NEEDS)
def test_a_family_reads_nothing_that_it_does_not_name(family):
    """A signal that reads more would raise KeyError here."""
    needs = {name for signal in FAMILIES[family] for name in SIGNALS[signal].needs}
    columns = {name: pa.array(["en"]) for name in needs - set(LISTS)}
    given_lists = {name: OPENED[name] for name in needs & set(LISTS)}
    chosen = SignalsSettings(families=[family])
    assert measure(pa.array(["the"]), chosen, columns, given_lists).num_rows == 1
    for name in needs:
        rest = {key: value for key, value in columns.items() if key != name}
        with pytest.raises(KeyError, match=f"need '{name}' beside the text"):
            measure(pa.array(["the"]), chosen, rest, {k: v for k, v in given_lists.items() if k != name})


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match="column 'url' has 2 rows, and there are 1 texts"):
        measure(pa.array(["x"]), SignalsSettings(families=["url"]), {"url": pa.array(["a", "b"])})


def test_a_cascades_screen_measures_nothing_that_needs_more_than_the_text():
    for signal, _ in screens.MARGINS:
        assert SIGNALS[signal].family not in families_with_needs()
    assert not families_with_needs() & set(screens._FAMILIES.values())


def test_texts_are_bounded_by_texts():
    assert {name for name, s in SIGNALS.items() if s.type == pa.string()} <= TEXT_COLUMNS
    assert "url_extension" in TEXT_COLUMNS


def test_the_listing_tells_what_a_signal_needs():
    (line,) = [line for line in catalogue.signals_listing().splitlines() if "stop_word_ratio " in line]
    assert line.endswith(" [needs language and lists.stop_words]")


# --- planning --------------------------------------------------------------------------------------------------------

STAGES = """
  - extract: {extractor: trafilatura, mode: precision}
  - language: {model: lid176}
  - signals: {families: [url, gopher_quality, stop_words], lists: {stop_words: words}}
  - filter:
      house: {language_stop_word_count: {min: 1}, url_extension: {in: ["", html]}, word_count: {min: 5}}
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own."""
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def words(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "en.txt").write_text("the\nof\n\n  and \nof\n")
    (folder / "fra_Latn.yml").write_text("line_punct_thr: 0.1\nstopwords: [de, la]\n")
    (folder / "README.md").write_text("not a list")
    (folder / "LICENSE").write_text("not a list")
    return folder


@pytest.fixture
def plan(tmp_path, quickstart, words, cache, monkeypatch):
    """Plans a recipe of some stages in a folder that has the sample, and a list `words`."""
    (tmp_path / "sample").symlink_to(quickstart / "sample")
    monkeypatch.chdir(tmp_path)

    def planned_with(stages=STAGES):
        text = f'name: needs\nsource: {{warc: ["sample/*.warc.gz"]}}\nstages:{stages}'
        (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
        return planned(tmp_path / "recipe.yaml")

    return planned_with


def test_a_step_rests_on_what_its_signals_need(plan):
    step = plan().step("signals")
    assert step.inputs == ("extract", "language")
    assert set(step.versions) >= {"list.stop_words", "url_extension", "language_stop_word_count"}
    alone = plan("\n  - extract\n  - language: {model: lid176}\n  - signals: {families: [gopher_quality, url]}\n")
    assert alone.step("signals").inputs == ("extract",)


def test_a_family_of_text_alone_has_the_digest_that_it_had(plan):
    """Where lists lie is no part of a digest, and neither is that there are none."""
    step = plan("\n  - extract\n  - signals: {families: [gopher_quality]}\n").step("signals")
    assert step.places == ("lists",)
    assert not [name for name in step.versions if name.startswith("list.")]


def test_the_latest_language_stage_is_read(plan):
    more = STAGES.replace("  - signals", "  - language: {model: lid176, first_characters: 100}\n  - signals")
    assert plan(more).step("signals").inputs == ("extract", "language-2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("  - language: {model: lid176}\n", ""),
            "family 'stop_words' needs the column 'language' of each document, and no stage before 'signals' gives it; "
            "add `- language: {model: lid176}` before it (",
        ),
        ((", lists: {stop_words: words}", ""), "family 'stop_words' needs a list that gristmill does not hold: write"),
        ((", lists: {stop_words: words}", ""), "https://github.com/huggingface/fineweb-2"),
        (("gopher_quality, stop_words]", "gopher_quality]"), "no family here reads lists.stop_words; add stop_words"),
        (("{stop_words: words}", "{stop_wrods: words}"), "unknown key 'stages.signals.lists.stop_wrods'; did you mean"),
        (('{in: ["", html]}', "{min: 1}"), "'url_extension' is bounded by texts: {in: [...]}"),
        (("{min: 1}, url", "{in: [a]}, url"), "'language_stop_word_count' is bounded by numbers"),
    ],
)
def test_what_is_missing_is_told_before_anything_runs(plan, change, message):
    with pytest.raises(RecipeError) as caught:
        plan(STAGES.replace(*change))
    assert message in str(caught.value)
    assert re.search(r"recipe.yaml:\d+\)$", str(caught.value))


def test_a_list_that_is_not_there_is_missing_with_the_way_out(plan):
    with pytest.raises(
        MissingError, match="lists.stop_words: wrods is neither a folder nor a file; FineWeb-2's are in"
    ):
        plan(STAGES.replace("words: words", "words: wrods"))


# --- lists -----------------------------------------------------------------------------------------------------------


def digest_of(where):
    return lists.list_digests(SignalsSettings(families=["stop_words"], lists={"stop_words": str(where)}))


def opened(where):
    chosen = SignalsSettings(families=["stop_words"], lists={"stop_words": str(where)})
    return dict(lists.open_lists(chosen, lists.list_digests(chosen))["stop_words"].words)


def test_words_are_read_from_what_projects_publish(words, cache):
    en, fr = ("and", "of", "the"), ("de", "la")
    assert opened(words) == {"en": en, "eng": en, "eng_Latn": en, "fr": fr, "fra": fr, "fra_Latn": fr}


def test_a_list_of_its_own_goes_before_one_of_another_name(words, cache):
    (words / "fr.txt").write_text("le\n")
    found = opened(words)
    assert (found["fr"], found["fra_Latn"]) == (("le",), ("de", "la"))


def test_the_same_words_have_the_same_digest_however_they_are_packed(words, cache, tmp_path):
    with tarfile.open(tmp_path / "packed.tar.gz", "w:gz") as archive:
        archive.add(words, "somewhere/words")
    said = {"en": ["the", "and", "of"], "fra_Latn": ["la", "de"]}
    (tmp_path / "said.json").write_text(json.dumps(said))
    shutil.copytree(words, tmp_path / "copy")
    places = [words, tmp_path / "packed.tar.gz", tmp_path / "said.json", tmp_path / "copy", f"file://{words}"]
    assert len({digest_of(where)["list.stop_words"] for where in places}) == 1
    (tmp_path / "copy" / "en.txt").write_text("the\n")
    assert digest_of(words) != digest_of(tmp_path / "copy")


def test_where_a_list_lies_changes_no_digest_and_what_it_says_does(plan, words, tmp_path):
    before = plan()
    shutil.copytree(words, tmp_path / "copy")
    moved = plan(STAGES.replace("words: words", "words: copy"))
    assert moved.step("signals").digest == before.step("signals").digest
    (tmp_path / "copy" / "en.txt").write_text("the\n")
    other = plan(STAGES.replace("words: words", "words: copy"))
    assert other.step("signals").digest != before.step("signals").digest
    assert other.step("language").digest == before.step("language").digest


def settled(monkeypatch):
    """Let time pass: files that were just written count as written long ago."""
    now = list_files.time.time
    monkeypatch.setattr(list_files.time, "time", lambda: now() + 60)


def unreadable(monkeypatch):
    """Let every reading of a list fail."""

    def read(where):
        raise AssertionError(f"{where} was read")

    kinds = {name: lists.ListKind(kind.way_out, read, kind.opened) for name, kind in lists.KINDS.items()}
    monkeypatch.setattr(lists, "KINDS", kinds)


def test_a_list_that_did_not_change_is_not_read_again(words, cache, monkeypatch):
    settled(monkeypatch)
    before = digest_of(words)
    unreadable(monkeypatch)
    assert digest_of(words) == before
    assert opened(words)["fr"] == ("de", "la")
    (words / "en.txt").write_text("the\nof\n\n  and \nto\n")  # as many bytes
    with pytest.raises(AssertionError, match="was read"):
        digest_of(words)


def test_a_list_that_was_just_written_is_read_again(words, cache, monkeypatch):
    digest_of(words)
    unreadable(monkeypatch)
    with pytest.raises(AssertionError, match="was read"):
        digest_of(words)


@pytest.mark.parametrize("damage", ["", "{}", '{"en": ["other"]}', "\0"])
def test_what_is_kept_is_checked_and_read_again_if_it_is_damaged(words, cache, monkeypatch, damage):
    settled(monkeypatch)
    before = opened(words)
    (kept,) = (cache / "lists").glob("*.json")
    kept.write_text(damage)
    assert opened(words) == before


def test_a_process_that_finds_nothing_kept_reads_the_list_and_refuses_another(words, cache):
    chosen = SignalsSettings(families=["stop_words"], lists={"stop_words": str(words)})
    versions = lists.list_digests(chosen)
    shutil.rmtree(cache)
    assert lists.open_lists(chosen, versions)["stop_words"].words["fr"] == ("de", "la")
    shutil.rmtree(cache)
    (words / "en.txt").write_text("to\n")
    with pytest.raises(StaleError, match="lists.stop_words does not say what it did when the plan was made"):
        lists.open_lists(chosen, versions)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tar.gz", b"x" * 99, "is not a readable archive"),
        ("a.json", b"[1]", "does not map languages to lists of words"),
        ("a.json", b'{"en": [1]}', "does not map languages to lists of words"),
        ("a.json", b"{", "is no JSON"),
        ("a.json.gz", b"\x1f\x8bxx", "cannot be unpacked"),
        ("fra_Latn.yml", b"dup_line_frac: 1", "names no stop words"),
        ("fra_Latn.yml", b"stopwords: [a", "cannot be read"),
        ("fr.txt", b"\xff\xfe", "is no list of words"),
        ("fr.txt", b" \n", "holds no list of words"),
        ("words.doc", b"the", "holds no list of words"),
    ],
)
def test_another_file_is_refused(tmp_path, cache, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorruptError, match=message) as caught:
        digest_of(tmp_path / name)
    assert str(caught.value).startswith("lists.stop_words: ")


def ut1_archive(path, lists_of):
    with tarfile.open(path, "w:gz") as archive:
        for category, domains in lists_of.items():
            content = "".join(f"{domain}\n" for domain in domains).encode()
            member = tarfile.TarInfo(f"blacklists/{category}/domains")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


UT1 = {
    "adult": ["x.example", "b.a.example", "co.uk", "192.0.2.1"],
    "games": ["a.example", "x.example"],
    "vpn": ["v.test"],
}


@pytest.fixture
def hosts(tmp_path, cache):
    ut1_archive(tmp_path / "ut1.tar.gz", UT1)
    chosen = SignalsSettings(families=["host_category"], lists={"ut1": str(tmp_path / "ut1.tar.gz")})
    return lists.open_lists(chosen, lists.list_digests(chosen))["ut1"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://x.example/page", ("adult", "games")),
        ("http://www.X.example:8080", ("adult", "games")),
        ("https://c.b.a.example/", ("adult", "games")),
        ("https://a.example/", ("games",)),
        ("https://notx.example.org/", ()),
        ("https://site.co.uk/", ()),
        ("http://192.0.2.1/", ("adult",)),
        ("v.test", ("vpn",)),
        ("", ()),
        ("\0", ()),
    ],
)
def test_hosts_have_the_categories_of_the_domains_above_them(hosts, url, expected):
    assert hosts.of(url) == expected


def test_ut1_is_the_same_as_a_folder_and_another_when_a_domain_moves(hosts, tmp_path):
    def digest(where):
        return lists.list_digests(SignalsSettings(families=["host_category"], lists={"ut1": str(where)}))

    for category, domains in UT1.items():
        (tmp_path / "ut1" / category).mkdir(parents=True)
        (tmp_path / "ut1" / category / "domains").write_text("\n".join(domains))
    assert digest(tmp_path / "ut1") == digest(tmp_path / "ut1.tar.gz")
    (tmp_path / "ut1" / "vpn" / "domains").write_text("v.test\na.example\n")
    assert digest(tmp_path / "ut1") != digest(tmp_path / "ut1.tar.gz")


@pytest.mark.data
def test_every_domain_of_ut1_is_found_in_its_categories(data, cache):
    where = data / "lists" / "ut1_sample.tar.gz"
    chosen = SignalsSettings(families=["host_category"], lists={"ut1": str(where)})
    found = lists.open_lists(chosen, lists.list_digests(chosen))["ut1"]
    checked = 0
    with tarfile.open(where) as archive:
        for member in archive:
            if not member.name.endswith("/domains"):
                continue
            category = member.name.split("/")[-2]
            for domain in archive.extractfile(member).read().decode().split()[:200]:
                if re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain) and not domain[-1].isdigit():
                    assert category in found.of(f"https://{domain}/x"), (category, domain)
                    checked += 1
    assert checked > 3000


@pytest.mark.data
def test_published_lists_are_read(data, cache):
    fineweb2 = opened(data / "lists" / "fineweb2_configs.tar.gz")
    assert {"fr", "fra_Latn", "zh", "abk_Cyrl"} <= set(fineweb2)
    assert fineweb2["fr"] == fineweb2["fra_Latn"]
    assert "l'" in fineweb2["fr"]
    assert len(opened(data / "lists" / "stopwords-iso.json.gz")["en"]) > 1000


# --- running ---------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(rows=st.integers(0, 9), size=st.integers(1, 4), other=st.integers(1, 4))
def test_columns_of_a_layer_stand_beside_their_documents_whatever_the_row_groups(rows, size, other):
    def pieces(name, each):
        table = pa.table({name: pa.array(range(rows), pa.int64())})
        return iter([table.slice(start, each) for start in range(0, rows, each)])

    empty = pa.table({"label": pa.array([], pa.int64())})
    tables = list(beside(pieces("document", size), pieces("label", other), empty))
    found = [row for table in tables for row in table.to_pylist()]
    assert found == [{"document": row, "label": row} for row in range(rows)]


def test_a_run_measures_what_it_reads(plan, quickstart, tmp_path):
    plan()
    shutil.copytree(quickstart / "runs" / "quickstart" / "documents", tmp_path / "runs" / "needs" / "documents")
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    run = Run.open(str(tmp_path / "runs" / "needs"))
    step = run.plan.step("signals")
    chosen = SignalsSettings.model_validate(step.settings)
    opened_lists = lists.open_lists(chosen, step.versions)
    labels, extensions = set(), set()
    for shard in run.plan.shards:
        documents = run.read(run.plan.text_step, shard, [schema.TEXT, schema.URL])
        language = run.read(run.plan.step("language"), shard, [schema.LANGUAGE])
        text, url = (documents.column(name).combine_chunks() for name in (schema.TEXT, schema.URL))
        columns = {"url": url, "language": language.column(schema.LANGUAGE).combine_chunks()}
        assert run.read(step, shard).to_pylist() == measure(text, chosen, columns, opened_lists).to_pylist()
        layer = run.read(step, shard)
        shares = layer.column("stop_word_ratio").to_pylist()
        labels |= {label for label, share in zip(columns["language"].to_pylist(), shares, strict=True) if share}
        extensions |= set(layer.column("url_extension").to_pylist())
    assert {"en", "fr"} <= labels
    assert "" in extensions
    before = outputs(tmp_path / "runs" / "needs")
    inside("run", "recipe.yaml", "--workers", 1, cwd=tmp_path)
    assert not difference(before, outputs(tmp_path / "runs" / "needs"))
    document = run.read(run.plan.text_step, run.plan.shards[0], [schema.ID]).column(schema.ID)[0].as_py()
    assert "url_extension" in inside("explain", "runs/needs", document, cwd=tmp_path).stdout
