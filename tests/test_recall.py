"""Hosts of many positive pages: counted as by hand, shown safely, and listed as `source` reads them."""

from __future__ import annotations

import io
import json
import random

import pyarrow as pa
import pytest
import quality_models as models
from commands import inside, outputs
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rich.console import Console

from gristmill import schema
from gristmill.crawl.index.settings import IndexSettings
from gristmill.dedup.urls import host_of
from gristmill.errors import UsageError
from gristmill.pipeline.recipe import load_recipe
from gristmill.report.live import watcher
from gristmill.report.recall import Asked, recall
from gristmill.report.recall_hosts import hosts_of, list_lines
from gristmill.report.recall_scores import scores_of
from gristmill.report.recall_view import render_recall

HOSTS = {  # host: (good pages, bad pages)
    "maths.example.org": (12, 8),
    "www.example.org": (1, 19),
    "a.example.co.uk": (2, 9),
    "b.example.co.uk": (9, 0),
    "spam.example.net": (0, 30),
    "[2001:db8::1]": (11, 0),
}
QUIET = watcher(Console(quiet=True))


def documents():
    """Pages of the hosts, in an order that tells nothing."""
    rows = [
        (f"http://{host}/{kind}/{number}", (models.GOOD if kind == "good" else models.BAD)[number % 3])
        for host, counts in HOSTS.items()
        for kind, count in zip(("good", "bad"), counts, strict=True)
        for number in range(count)
    ]
    rows += [(None, models.GOOD[0]), ("#x", models.GOOD[0]), ("http://www.example.org/none", None)]
    random.Random(6).shuffle(rows)
    return [Document(f"x/{row}", text, url) for row, (url, text) in enumerate(rows)]


def shards(count):
    found = documents()
    return {f"s{number}": found[number::count] for number in range(count)}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return models.train(tmp_path_factory.mktemp("models") / "quality.bin")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run without scores."""
    return carry_out(make_run(tmp_path_factory.mktemp("plain"), shards(3), ""))


@pytest.fixture(scope="module")
def scored(model, tmp_path_factory):
    """A run that drops by the score, and one page by another rule of the same stage."""
    text = f"""\
  - quality:
      fasttext: {{good: {model}, bad: {{model: {model}, label: cc}}}}
      keep: {{good_score: {{min: 0.4}}, bad_score: {{max: 0.9999}}}}
"""
    return carry_out(make_run(tmp_path_factory.mktemp("scored"), shards(2), text))


def found_in(run, model=None, **asked):
    scores = scores_of(run, model and str(model), None, asked.pop("score", None))
    return recall(run, scores, Asked(**({"over": 0.1, "threshold": 0.5} | asked)), QUIET)


def counts(found):
    return {host.name: (host.positive, host.pages) for host in found.found}


# --- what is counted ------------------------------------------------------------------------------------------------


def test_hosts_over_the_bound_are_found(plain, model):
    found = found_in(plain, model)
    assert list(counts(found).items()) == [
        ("[2001:db8::1]", (11, 11)),
        ("maths.example.org", (12, 20)),
        ("a.example.co.uk", (2, 11)),
    ], "of the highest share first; b.example.co.uk has nine pages, fewer than ten"
    assert (found.pages, found.hosts, found.without_host) == (101, 6, 2)
    assert counts(found_in(plain, model, least_pages=1))["b.example.co.uk"] == (9, 9)


def test_a_share_on_the_bound_does_not_exceed_it(plain, model):
    assert "maths.example.org" in counts(found_in(plain, model, over=0.599))
    assert "maths.example.org" not in counts(found_in(plain, model, over=0.6))


def test_domains_are_counted_as_one(plain, model):
    found = counts(found_in(plain, model, by="domain"))
    assert found == {"[2001:db8::1]": (11, 11), "example.co.uk": (11, 20), "example.org": (13, 40)}


@settings(max_examples=10, deadline=None)
@given(over=st.floats(0, 1), least=st.integers(1, 25), by=st.sampled_from(["host", "domain"]))
def test_the_counts_are_those_made_by_hand(scored, over, least, by):
    domain = {"maths.example.org": "example.org", "www.example.org": "example.org"}
    domain |= {
        "a.example.co.uk": "example.co.uk",
        "b.example.co.uk": "example.co.uk",
        "spam.example.net": "example.net",
    }
    expected = {}
    for host, (good, bad) in HOSTS.items():
        name = domain.get(host, host) if by == "domain" else host
        before = expected.get(name, (0, 0))
        expected[name] = (before[0] + good, before[1] + good + bad)
    expected = {name: both for name, both in expected.items() if both[1] >= least and both[0] / both[1] > over}
    assert counts(found_in(scored, score="good_score", over=over, least_pages=least, by=by, samples=0)) == expected


def test_what_the_score_itself_drops_counts_and_what_another_rule_drops_does_not(scored, plain, model):
    assert found_in(scored, score="good_score") == found_in(scored, model=model), "the run's own layer is taken"
    assert counts(found_in(scored, score="good_score")) == counts(found_in(plain, model))


def test_what_other_stages_drop_counts_only_if_it_is_asked_for(model, tmp_path):
    run = carry_out(make_run(tmp_path, shards(2), "  - dedup: {exact: text}\n"))
    assert found_in(run, model).pages < 7
    assert found_in(run, model, all_documents=True).pages == 101


def test_nothing_depends_on_the_shards(plain, model, tmp_path):
    other = carry_out(make_run(tmp_path, shards(7), ""))
    one, two = found_in(plain, model, samples=4), found_in(other, model, samples=4)
    assert (one.found, one.best, one.hosts, one.pages) == (two.found, two.best, two.hosts, two.pages)


def test_a_models_scores_are_the_runs_own_however_its_recipe_reads_texts(model, tmp_path):
    text = f"  - quality: {{fasttext: {{dclm: {model}}}, use: [dclm]}}\n"
    run = carry_out(make_run(tmp_path, shards(2), text))
    scores = scores_of(run, str(model), None, None)
    assert (scores.name, scores.threshold) == ("dclm_score", 0.018112)
    assert scores_of(run, str(model), "cc", None).step is None


def test_the_bound_of_the_run_is_the_threshold(scored, plain, model):
    assert scores_of(scored, None, None, "good_score").threshold == 0.4
    assert scores_of(plain, str(model), None, None).threshold == 0.5


def test_samples_are_positive_pages_of_their_host_with_how_they_begin(plain, model):
    for host in found_in(plain, model, samples=2).found:
        assert len(host.samples) == min(2, host.positive)
        for sample in host.samples:
            assert host_of(sample.url) == host.name
            assert "/good/" in sample.url
            assert sample.score >= 0.5
            assert sample.excerpt in models.GOOD


def test_no_host_is_no_error_and_the_nearest_is_told(plain, model):
    found = found_in(plain, model, threshold=1.01)
    assert found.found == ()
    assert found.best.positive == 0
    assert found_in(plain, model, least_pages=99).best is None


@settings(max_examples=60)
@given(
    urls=st.lists(st.none() | st.text(max_size=20) | st.builds("http://{}".format, st.text(max_size=20)), max_size=9)
)
def test_hosts_are_in_the_form_that_deduplication_has(urls):
    assert hosts_of(pa.array(urls, pa.string())).to_pylist() == [host_of(url) if url else "" for url in urls]


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "label", "score", "message"),
    [
        ("m.bin", None, "good_score", "contradict each other"),
        (None, "hq", None, "give that too"),
        (None, None, None, "has the scores good_score, bad_score: name one with --score"),
        (None, None, "god_score", "has no column 'god_score'; did you mean 'good_score'"),
        ("m.bin", None, None, "neither a file nor a name in the registry"),
    ],
)
def test_what_cannot_be_asked(scored, name, label, score, message):
    with pytest.raises(UsageError, match=message):
        scores_of(scored, name, label, score)


def test_a_run_without_scores_says_so(plain):
    with pytest.raises(UsageError, match="has no score of a classifier: name one with --score, or a model"):
        scores_of(plain, None, None, None)


# --- the command, and its list --------------------------------------------------------------------------------------


def test_the_list_is_read_by_source(plain, model, tmp_path):
    folder = plain.folder.root
    before = outputs(folder)
    told = inside("recall", folder, "--model", model, "-o", "hosts.txt", cwd=tmp_path).stdout
    assert outputs(folder) == before, "a run stays as it is"
    assert "maths.example.org" in told
    assert "60.0%" in told
    listed = (tmp_path / "hosts.txt").read_text()
    assert [line for line in listed.splitlines() if not line.startswith("#")] == [
        "maths.example.org",
        "a.example.co.uk",
    ]
    assert "# cannot be asked for: [2001:db8::1]" in listed
    assert "# 12 of 20 pages, 60.0%" in listed
    source = "source: {crawl: CC-MAIN-2024-51, index: {hosts: '@hosts.txt'}}"
    (tmp_path / "next.yaml").write_text(f"name: next\n{source}\nstages: [extract]\n")
    check = inside("schema", cwd=tmp_path)
    assert "hosts.txt" in check.stdout
    recipe = load_in(tmp_path)
    assert recipe.source.index.hosts == ("a.example.co.uk", "maths.example.org")


def load_in(folder):
    text = (folder / "next.yaml").read_text().replace("@hosts.txt", f"@{folder / 'hosts.txt'}")
    (folder / "next.yaml").write_text(text)
    return load_recipe(folder / "next.yaml")


def test_domains_are_listed_with_all_below_them(plain, model, tmp_path):
    lines = list(list_lines(found_in(plain, model, by="domain")))
    path = tmp_path / "hosts.txt"
    path.write_text("\n".join(lines))
    assert IndexSettings(hosts=f"@{path}").hosts == ("*.example.co.uk", "*.example.org")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("", "names no host"),
        ("# only a comment\n\n", "names no host"),
        ("example.org 12\n", "line 1: 'example.org 12' is no host"),
        ("exämple.org\n", "is no host; write example.org"),
    ],
)
def test_a_list_that_is_none(tmp_path, text, message):
    if text is not None:
        (tmp_path / "h.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ValidationError, match=message):
        IndexSettings(hosts=f"@{tmp_path / 'h.txt'}")


def test_hosts_and_lists_stand_side_by_side(tmp_path):
    (tmp_path / "h.txt").write_text("# these\r\n Example.org \r\n\r\n.example.net\r\n")
    assert IndexSettings(hosts=["a.org", f"@{tmp_path / 'h.txt'}"]).hosts == ("*.example.net", "a.org", "example.org")
    with pytest.raises(ValidationError, match="followed by the name of a file"):
        IndexSettings(hosts="@")


def test_json_holds_all_that_was_found(plain, model, tmp_path):
    told = json.loads(inside("recall", plain.folder.root, "--model", model, "--json", cwd=tmp_path).stdout)
    assert [host["name"] for host in told["found"]] == ["[2001:db8::1]", "maths.example.org", "a.example.co.uk"]
    assert told["asked"]["over"] == 0.1


def test_what_is_crawled_is_shown_escaped(model, tmp_path):
    url = "http://evil.example/\x1b[31m[bold]\u202e"
    pages = [Document(f"x/{n}", f"\x1b[2J[red]{models.GOOD[0]}", url) for n in range(10)]
    run = carry_out(make_run(tmp_path, {"s": pages}, ""))
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(render_recall(found_in(run, model)))
    shown = console.export_text()
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[31m[bold]\\u202e" in shown
    assert "\\x1b[2J[red]the mill" in shown


def test_a_document_without_text_does_not_count(plain):
    urls = [row[schema.URL] for s in plain.plan.shards for row in plain.read(plain.plan.text_step, s).to_pylist()]
    assert "http://www.example.org/none" in urls
