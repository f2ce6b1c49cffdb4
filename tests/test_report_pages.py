"""The page and the card: whole, the same every time, and deaf to hostile text."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from runs import HOSTILE, PAGES, RECIPE, Page, build_run

from gristmill.errors import UsageError
from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EditSettings
from gristmill.filters.rules.serialize import to_json
from gristmill.pipeline.plan import EDIT
from gristmill.pipeline.run import Run
from gristmill.pipeline.yaml import parse_yaml
from gristmill.report import escape
from gristmill.report.card_steps import steps_section
from gristmill.report.explain import explain, render_explanation
from gristmill.report.funnel import funnel
from gristmill.report.html import render_html
from gristmill.report.markup import Markup, element
from gristmill.report.stats import collect
from gristmill.report.write import write_card, write_report


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "mill", PAGES)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "unfinished", PAGES, until="filter")


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return build_run(tmp_path_factory.mktemp("runs") / "empty", {"none": []})


def printed(renderable, width=100):
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    pages = [Page(url, f"text of {url}", mime="text/<b>", charset="<u>\x1b[1m") for url in HOSTILE]
    pages += [Page("http://x/", "q", benchmark="<i>gsm</i>|`8k`", item="[x](y)", cluster_size=3)]
    pages += [Page("http://y/", "no", language="en", cluster_size=9), Page(language="no: x\n- <b>", score=1.0)]
    return build_run(tmp_path_factory.mktemp("runs") / "hostile", {"bad": pages})


def open_card(run):
    return run.folder.read_bytes(write_card(run).removeprefix(f"{run.folder.root}/")).decode()


def split_card(run):
    _, header, body = re.split(r"^---$", open_card(run), maxsplit=2, flags=re.MULTILINE)
    return header, body


def test_the_funnel_of_a_run_that_has_not_begun(tmp_path):
    begun = build_run(tmp_path / "run", PAGES, until="extract")
    begun.folder.remove("documents/two.parquet")
    rows = funnel(Run.open(begun.folder.url))
    assert [row.role for row in rows] == ["unfinished"] * 7
    assert (rows[0].shards_done, rows[0].shards) == (1, 2)
    stats = collect(begun)
    assert not stats["complete"]
    assert "extract (1 of 2 shards)" in render_html(stats)
    assert "nothing is decided yet" in open_card(begun)


def test_an_empty_run_is_reported(empty):
    stats = collect(empty)
    assert stats["complete"]
    assert stats["hosts"]["distinct"] == 0
    assert "records with a fate" in render_html(stats)
    assert "0 documents" in open_card(empty)


def test_an_explanation_obeys_no_crawled_text(hostile):
    for row in range(len(HOSTILE)):
        (explained,) = explain(hostile, f"bad/{1000 * row}")
        shown = printed(render_explanation(explained, text=True), width=200)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
        assert "\\x1b[1m" in shown
    (marked,) = explain(hostile, "http://[bold red]markup[/bold red]:smile:")
    assert "http://[bold red]markup[/bold red]:smile:" in printed(render_explanation(marked), width=200)
    with pytest.raises(UsageError, match=re.escape(r"http://\x1b[31mred\x07\u202e")):
        explain(hostile, "http://\x1b[31mred")


# the page


class Page_(HTMLParser):
    """Reads a page: its tags with their attributes, its text, and whether elements are closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


ALLOWED = re.compile(
    "html|head|meta|title|style|body|header|main|section|nav|footer|h1|h2|h3|p|a|dl|dt|dd|div|ol|ul|li|span|code|wbr|"
    "pre|table|thead|tbody|tr|th|td|figure|figcaption|details|summary|svg|rect|line|text"
)


@pytest.mark.parametrize("name", ["run", "unfinished", "hostile", "empty"])
def test_the_page_is_whole_and_loads_and_runs_nothing(name, request):
    page = Page_(render_html(collect(request.getfixturevalue(name))))
    assert page.open == []
    assert all(ALLOWED.fullmatch(tag) for tag, _ in page.tags)
    ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    for _, attributes in page.tags:
        assert not {"src", "srcset", "style", "action"} & attributes.keys()
        assert not any(key.startswith("on") for key in attributes)
        assert attributes.get("href", "#funnel").removeprefix("#") in ids


def test_the_policy_allows_exactly_the_style_sheet(run):
    text = render_html(collect(run))
    style = re.search("<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = next(a["content"] for tag, a in Page_(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_the_page_shows_hostile_text_as_text(hostile):
    text = render_html(collect(hostile))
    shown = "".join(Page_(text).words)
    for host in ("<script>alert(1)<", '"><img src=x onerror=alert(1)>', "`code`|cell|", r"\x1b[31mred\x07\u202e"):
        assert host in shown
    assert "<i>gsm</i>|`8k`" in shown
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_elements_escape_all_that_is_not_markup():
    assert element("b", {"title": '"<'}, "<i>", Markup("<i></i>")) == ('<b title="&quot;&lt;">&lt;i&gt;<i></i></b>')


# the card


@pytest.mark.parametrize("name", ["run", "hostile"])
def test_the_header_means_the_same_in_yaml_1_1_and_1_2(name, request):
    header, _ = split_card(request.getfixturevalue(name))
    known = yaml.safe_load(header)
    assert known == parse_yaml(header, "README.md").value
    assert set(known) <= {"pretty_name", "language", "size_categories", "task_categories", "tags", "configs"}
    assert known["size_categories"] == ["n<1K"]
    assert known["configs"][0]["data_files"] == [{"split": "train", "path": "tokens/train-*.parquet"}]


def test_languages_of_the_header_are_labels(tmp_path, run, hostile):
    assert yaml.safe_load(split_card(run)[0])["language"] == ["en", "de"]
    assert yaml.safe_load(split_card(hostile)[0])["language"] == ["en"]


def test_the_card_says_what_was_done(run):
    _, body = split_card(run)
    assert "4 documents, 33.3% of 12 crawl records fetched on 2024-04-21" in body
    assert "| `gopher_quality.word_count.min` | ≥ 50 | yes | 2 |" in body
    assert "Rae et al. 2021" in body
    assert "- switched off: `gopher_quality.stop_word_count.min`, published as ≥ 2\n" in body
    assert RECIPE in body
    assert "| `example.org` | 2 | 66.7% |" in body


def steps_of_edit(settings, keep=None):
    """What the card says of an edit stage with these settings."""
    edit = EditSettings.model_validate({**settings, "keep": keep or {}})
    steps = [
        {"stage": "edit", "kind": EDIT, "settings": {edit.name: edit.own.model_dump(mode="json")}},
        {"stage": "edit", "kind": "rules", "settings": {"rules": list(map(to_json, catalogue.rules_of(edit)))}},
    ]
    return steps_section({"steps": steps, "reasons": []})


def test_the_card_says_which_settings_of_an_edit_are_as_published():
    changed = {"terminal_punctuation": False, "fewest_words": 3, "longest_word": None}
    said = steps_of_edit({"c4_lines": changed}, {"kept_sentence_count": {"min": 2}, "cut_line_count": {"max": 9}})
    assert "- c4_lines: Raffel et al. 2020" in said
    for row in (
        "| meaning | `datatrove` | yes |",
        "| terminal punctuation | false | true |",
        "| fewest words | `3` | yes |",
        "| longest word | – | `1000` |",
        "| policy | true | yes |",
        "| `edit.c4_lines.curly_bracket_line_count.max` | ≤ 0 | yes | – |",
        "| `edit.c4_lines.kept_sentence_count.min` | ≥ 2 | ≥ 5 | – |",
        "| `edit.c4_lines.cut_line_count.max` | ≤ 9 | – | – |",
        "| `edit.c4_lines.text_bytes.min` | ≥ 1 | – | – |",
    ):
        assert f"{row}\n" in said, row


def test_the_card_knows_what_each_meaning_of_an_edit_has():
    said = steps_of_edit({"c4_lines": {"meaning": "paper"}}, {"curly_bracket_line_count": {"max": None}})
    assert "| meaning | `paper` | yes |\n| terminal punctuation | true | yes |\n" in said
    assert "| fewest words | `5` | yes |" in said
    assert "| `edit.c4_lines.kept_sentence_count.min` | ≥ 3 | yes | – |" in said
    assert "- switched off: `edit.c4_lines.curly_bracket_line_count.max`, published as ≤ 0\n" in said


def test_the_card_says_that_an_edit_is_of_gristmills_own():
    said = steps_of_edit({"repeated_lines": {"copies": 3}})
    assert "| copies | `3` | – |" in said
    assert " own\n" in said


@pytest.mark.parametrize("name", [name for name in catalogue.EDITS if catalogue.EDITS[name].is_published])
def test_an_edit_with_its_default_settings_is_as_published(name):
    rows = [line.split(" | ") for line in steps_of_edit({name: {}}).splitlines() if line.startswith("| ")]
    settings = [row for row in rows if len(row) == 3 and row[0] != "| setting"]
    assert {row[2] for row in settings} <= {"yes |"}
    assert len(settings) == len(type(EditSettings.model_validate({name: {}}).own).model_fields)


def test_the_card_obeys_no_crawled_text(hostile):
    _, body = split_card(hostile)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(body)
    inline = [child for token in tokens for child in token.children or []]
    assert {token.type for token in inline} <= {"text", "code_inline", "softbreak"}
    assert not {token.type for token in tokens} & {"html_block", "hr"}
    words = [child.content for child in inline]
    for host in ("<script>alert(1)<", '"><img src=x onerror=alert(1)>', "x[link](javascript", "`code`|cell|"):
        assert host in words
    cells = sum(token.type == "td_open" for token in tokens)
    rows = [token for token in tokens if token.type == "tr_open"]
    assert cells > len(rows)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", body)


def test_a_fence_is_longer_than_any_run_of_backticks():
    tokens = MarkdownIt().parse(escape.fenced("a\n````\n<b>\n", "yaml"))
    assert [(token.type, token.content) for token in tokens] == [("fence", "a\n````\n<b>\n")]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1))
def test_code_in_a_line_is_shown_as_it_is(text):
    (paragraph,) = [token for token in MarkdownIt().parse(f"x {escape.as_code(text)}") if token.type == "inline"]
    assert [(child.type, child.content) for child in paragraph.children][1:] == [("code_inline", escape.visible(text))]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_markdown_shows_what_it_is_given(text):
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"| a |\n|---|\n| x{escape.for_markdown(text)} |\n")
    inline = [child for token in tokens for child in token.children or []][1:]
    assert {child.type for child in inline} <= {"text", "code_inline"}
    shown = "".join(child.content for child in inline)
    assert " ".join(shown.split()) == " ".join(f"x{escape.visible(text)}".split())


@given(st.text())
def test_what_is_visible_holds_no_controls(text):
    shown = escape.visible(text)
    assert shown.isprintable() or not re.search(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", shown)
    assert escape.visible(shown) == shown


# files


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    again = build_run(tmp_path / "mill", dict(reversed(PAGES.items())))
    other = build_run(tmp_path / "ordered", PAGES)
    for made in (run, other):
        write_report(made)
        write_card(made)
    for name in ("report/index.html", "report/stats.json", "README.md"):
        assert run.folder.read_bytes(name) == other.folder.read_bytes(name)
    write_report(again)
    counts = [json.loads(made.folder.read_bytes("report/stats.json")) for made in (run, again)]
    for key in ("funnel", "reasons", "languages", "signals", "hosts", "contamination"):
        assert counts[0][key] == counts[1][key], "the order of the shards changes nothing"


def test_the_docs_name_every_key_of_the_statistics(run):
    page = (Path(__file__).resolve().parents[1] / "docs" / "reports.md").read_text(encoding="utf-8")
    table = page.split("## stats.json")[1].split("##")[0]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))) == set(collect(run))
