"""The extractors beside trafilatura: jusText, the cascade and its screen, and the columns that a page can fill."""

import json
from pathlib import Path

import extractor_doubles
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import strategies
import warcs
from commands import QUICKSTART, difference, gristmill, inside, outputs
from hypothesis import example, given
from hypothesis import strategies as st

from gristmill import schema
from gristmill.classifiers.language import LanguageIdentifier
from gristmill.classifiers.models import find_model
from gristmill.classifiers.settings import LanguageSettings
from gristmill.crawl import fates
from gristmill.crawl.extract import Extraction
from gristmill.crawl.extraction.cascade import Cascade
from gristmill.crawl.extraction.columns import COLUMNS, column_values
from gristmill.crawl.extraction.extractors import EXTRACTORS, clean
from gristmill.crawl.extraction.paragraphs import STOP_LISTS, stop_words_of
from gristmill.crawl.extraction.pool import Pool
from gristmill.crawl.extraction.protocol import Answer, Page, pack_answer, unpack_answer
from gristmill.crawl.records import WholeFile
from gristmill.crawl.settings import ExtractSettings
from gristmill.errors import RecipeError
from gristmill.filters.rules.evaluate import evaluate, rules_of
from gristmill.filters.rules.settings import FilterSettings
from gristmill.filters.signals.families import measure
from gristmill.filters.signals.settings import SignalsSettings
from gristmill.pipeline.recipe import build_recipe
from gristmill.pipeline.screens import foresee, screen_of
from gristmill.pipeline.session import planned
from gristmill.pipeline.stages.language import language_rules
from gristmill.pipeline.yaml import parse_yaml

HERE = Path(__file__).parent
GERMAN = (
    "Der Müller öffnete das Wehr vor dem Morgengrauen, und das Rad begann sich zu drehen, als das Wasser stieg. "
    "Das Korn lief aus dem Trichter in das Auge des Steins, und warmes Mehl fiel in den Kasten, der darunter stand. "
)
CHINESE = (
    "磨坊主在黎明前打开了水闸，水渠里的水一涨起来，水车就开始转动。谷物从料斗落入石磨的眼中，温热的面粉落进下面的箱子里。"
    * 4
)
CASCADE = """\
name: fall
source: {warc: ["a.warc.gz"]}
stages:
  - extract: {extractor: cascade}
  - language: {keep: {en: 0.65}}
  - signals:
  - filter: {use: [gopher_repetition, gopher_quality]}
"""


def html(*paragraphs, head="", attributes=""):
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    menu = "<ul>" + "".join(f"<li><a href='/{n}'>Item {n}</a></li>" for n in range(9)) + "</ul>"
    return f"<!doctype html><html {attributes}><head>{head}</head><body>{menu}{body}{menu}</body></html>"


def justext(page):
    return clean(EXTRACTORS["justext"](page, ExtractSettings(extractor="justext")))


def stages(text=CASCADE):
    return build_recipe(parse_yaml(text, "recipe.yaml")).stages


def answers(pool, *pages):
    for page in pages:
        pool.submit(Page(page.encode(), "utf-8"))
    return [pool.take() for _ in pages]


@pytest.mark.parametrize("attributes", ["", "lang=en", "lang=de-AT", "lang='xx'"])
@pytest.mark.parametrize("prose", [warcs.PROSE, GERMAN, CHINESE])
def test_justext_finds_prose_in_any_language_whatever_the_page_says_of_it(prose, attributes):
    assert justext(html(prose, prose, attributes=attributes)) == "\n".join([prose.strip()] * 2)


@pytest.mark.parametrize(
    "page",
    [
        "",
        " ",
        "<!-- nothing -->",
        "\0",
        "<?xml version='1.0' encoding='utf-8'?>",
        "<html></html>",
        html(),
        "<p>short</p>",
    ],
)
def test_justext_finds_nothing_where_there_is_nothing(page):
    assert justext(page) is None


def test_justext_reads_a_page_that_declares_an_encoding_as_xml():
    assert justext(f"<?xml version='1.0' encoding='iso-8859-1'?>{html(GERMAN)}") == GERMAN.strip()


def test_justext_has_the_stop_words_that_its_languages_name():
    assert all(stop_words_of(code) for code in STOP_LISTS)
    assert "and" in stop_words_of("en")
    assert stop_words_of("zh") == frozenset()


def test_a_page_of_countless_paragraphs_ends_justext_and_harms_no_neighbour():
    page = b"<p>One of very many paragraphs.</p>" * 150_000
    with Pool(ExtractSettings(extractor="justext", timeout=3)) as pool:
        for body in (html(GERMAN).encode(), page, html(GERMAN).encode()):
            pool.submit(Page(body, "utf-8"))
        one, hostile, other = (pool.take() for _ in range(3))
    assert hostile.fate == fates.TIMEOUT
    assert one.text == other.text == GERMAN.strip().encode()


def test_all_pages_are_extracted_by_the_same_process():
    with Pool(ExtractSettings(extractor="resiliparse")) as pool:
        answers(pool, html(GERMAN))
        first = pool.process_id
        answers(pool, *[html(f"{GERMAN} {number}") for number in range(50)])
        assert pool.process_id == first is not None


@given(
    st.binary(max_size=40),
    st.lists(
        st.none() | st.text(min_size=1, max_size=9).filter(lambda v: "\0" not in v and v.isprintable()), max_size=3
    ),
)
def test_an_answer_survives_its_way(text, columns):
    answer = Answer(text, None, "utf-8", "http", 5 << 20, "resiliparse", tuple(columns))
    message = pack_answer(answer)
    assert unpack_answer(bytearray(message + b"more")) == (answer, len(message))
    assert unpack_answer(bytearray(message[:-1])) is None


@pytest.fixture
def cascade(monkeypatch):
    """Return a function that makes cascades of the doubles, in which texts with a word survive."""
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    made = []

    def make(word="yes", **settings):
        def screen(texts):
            made.append(texts.to_pylist())
            return [word in text for text in texts.to_pylist()]

        return Cascade(Pool(ExtractSettings(extractor="cascade", **settings), "extractor_doubles"), screen), made

    return make


def told(answers):
    return [(answer.fate or answer.text.decode(), answer.extractor) for answer in answers]


def test_the_cascade_pays_only_for_what_survives(cascade):
    pool, asked = cascade()
    with pool:
        found = answers(pool, "yes", "no\r\n", "yes again", "no")
    expected = [("yes", "trafilatura"), ("no", "resiliparse"), ("yes again", "trafilatura"), ("no", "resiliparse")]
    assert told(found) == expected
    assert asked == [["yes", "no", "yes again", "no"]], "texts are judged as they would be stored, together"


def test_what_has_no_cheap_text_is_left_to_trafilatura(cascade):
    pool, asked = cascade(timeout="300ms", max_depth=9)
    pages = ["no", "raise it", "spin cheaply", "die cheaply", "nothing cheaply", "<b>" * 10, "spin", "die", "no"]
    with pool:
        found = answers(pool, *pages)
        assert told(found) == [
            ("no", "resiliparse"),
            (fates.ERROR, None),
            ("spin cheaply", "trafilatura"),
            ("die cheaply", "trafilatura"),
            ("nothing cheaply", "trafilatura"),
            (fates.TOO_DEEP, None),
            (fates.TIMEOUT, None),
            (fates.CRASHED, None),
            ("no", "resiliparse"),
        ]
    assert asked == [["no", "no"]]


def test_plain_text_has_no_extractor(cascade):
    pool, asked = cascade()
    with pool:
        pool.submit(Page(b"no page", "utf-8", True))
        assert told([pool.take()]) == [("no page", None)]
    assert asked == []


def test_a_cascade_answers_in_order_whatever_it_waits_for(cascade):
    pool, asked = cascade()
    pages = [f"{'yes' if number % 3 else 'no'} {number}" for number in range(150)]
    found = []
    with pool:
        for page in pages:
            while not pool.has_room:
                found.append(pool.take())
            pool.submit(Page(page.encode(), "utf-8"))
            while (answer := pool.poll()) is not None:
                found.append(answer)
        while len(found) < len(pages):
            found.append(pool.take())
        assert pool.poll() is None
        first = pool.process_id
        pool.forget()
        assert pool.process_id == first
        pool.submit(Page(b"no", "utf-8"))
        pool.forget()
        assert pool.process_id is None
        assert told(answers(pool, "yes")) == [("yes", "trafilatura")]
    assert [answer.text.decode() for answer in found] == pages
    assert all((answer.extractor == "trafilatura") == answer.text.startswith(b"yes") for answer in found)
    assert max(map(len, asked)) == 32


def test_a_cascade_holds_few_pages_at_once(cascade):
    pool, _ = cascade()
    with pool:
        count = 0
        while pool.has_room:
            pool.submit(Page(b"no " + b"x" * (1 << 20), None))
            count += 1
        assert count <= 8
        assert [pool.take().extractor for _ in range(count)] == ["resiliparse"] * count


def test_the_doubles_are_those_of_every_extractor():
    assert extractor_doubles.EXTRACTORS.keys() == EXTRACTORS.keys()


@pytest.fixture(scope="module")
def screen():
    foreseen = foresee(stages())
    survive = screen_of(find_model(foreseen.model), foreseen.settings())
    return lambda *texts: survive(pa.array(texts, pa.large_string()))


LANGUAGE = LanguageIdentifier(find_model("lid176"), LanguageSettings())
RULES = rules_of(FilterSettings(use=("gopher_repetition", "gopher_quality")))


def is_dropped(text):
    """Return whether the stages of the recipe drop a text."""
    column = pa.array([text], pa.large_string())
    by_language = evaluate(language_rules({"en": 0.65}), LANGUAGE.identify(column), 1)
    by_filter = evaluate(RULES, measure(column, SignalsSettings()), 1)
    return not (by_language["keep"][0].as_py() and by_filter["keep"][0].as_py())


@given(strategies.texts().map(clean).filter(bool) | st.sampled_from([GERMAN, CHINESE, warcs.PROSE]))
@example(GERMAN)
@example("1 2 3 4 the 5 6 7 8 9 and 10 11 of 12")
def test_what_falls_through_the_screen_is_dropped_by_the_stages_it_foresaw(screen, text):
    assert screen(text)[0] or is_dropped(text)


def test_the_screen_knows_what_can_be_kept(screen):
    few_words = f"{warcs.PROSE} {'1 2 3 4 5 6 7 8 9 0 ' * 20}"
    texts = warcs.PROSE, GERMAN, "xyz", CHINESE, few_words, warcs.PROSE * 3
    assert screen(*texts) == [True, False, True, False, False, True]
    assert screen(warcs.PROSE) == [True]


def test_the_screen_takes_its_bounds_from_the_recipe():
    foreseen = foresee(stages())
    assert (foreseen.model, foreseen.keep, foreseen.first_characters) == ("lid176", ("en",), None)
    assert foreseen.bounds == {"alphabetic_word_ratio": ("min", pytest.approx(0.72))}
    wide = CASCADE.replace("{en: 0.65}", "{de: 0.5, en: 0.65}, first_characters: 900")
    wide = wide.replace("gopher_quality]", "gopher_quality], gopher_quality: {alphabetic_word_ratio: {min: null}}")
    foreseen = foresee(stages(wide))
    assert (foreseen.keep, foreseen.first_characters) == (("de", "en"), 900)
    assert foreseen.bounds == {}
    strict = foresee(stages(CASCADE.replace("quality]}", "quality], house: {alphabetic_word_ratio: {min: 0.9}}}")))
    assert strict.bounds == {"alphabetic_word_ratio": ("min", pytest.approx(0.81))}
    choice = "house: {any: [{alphabetic_word_ratio: {min: 0.9}}, {word_count: {min: 9}}]}"
    some = foresee(stages(CASCADE.replace("quality]}", f"quality], {choice}}}")))
    assert some.bounds == foresee(stages()).bounds, "one bound among several drops no text for certain"
    apart = "gopher_quality: {alphabetic_word_ratio: {languages: {zh: {min: 0.1}}}}"
    some = foresee(stages(CASCADE.replace("quality]}", f"quality], {apart}}}")))
    assert some.bounds == {}, "nor does a bound for some languages"
    late = foresee(stages(CASCADE.replace("  - signals:\n", "  - dedup: {exact: text}\n  - signals:\n")))
    assert late.bounds == {}, "what comes after documents were compared is not foreseen"


@pytest.mark.parametrize(
    "wrong",
    [
        CASCADE.replace("{keep: {en: 0.65}}", "{model: lid176}"),
        CASCADE.replace("  - language", "  - dedup: {exact: text}\n  - language"),
    ],
)
def test_a_cascade_that_can_spare_nothing_is_a_mistake(wrong, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.warc.gz").write_bytes(b"")
    Path("recipe.yaml").write_text(wrong)
    with pytest.raises(RecipeError, match=r"add `- language.*\(recipe.yaml:4\)"):
        planned("recipe.yaml")


def test_all_that_the_screen_asks_is_part_of_the_documents_digest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.warc.gz").write_bytes(b"")
    Path("copy.ftz").write_bytes(find_model("lid176").path.read_bytes())

    def digest(*changes, extractor="cascade"):
        Path("recipe.yaml").write_text(CASCADE.replace("cascade", extractor))
        return planned("recipe.yaml", changes).step("extract").digest

    assert digest() == digest("stages.language.keep.en=0.7") == digest("stages.language.model=copy.ftz")
    others = [
        digest("stages.language.keep={de: 0.5}"),
        digest("stages.language.first_characters=900"),
        digest("stages.filter.gopher_quality.alphabetic_word_ratio.min=0.5"),
        digest("stages.signals.words=whitespace"),
        digest(extractor="trafilatura"),
    ]
    assert len({digest(), *others}) == 6
    assert others[-1] == digest("stages.language.keep={de: 0.5}", extractor="trafilatura")


def test_a_cascade_goes_the_whole_way_to_the_same_documents(quickstart, tmp_path):
    changes = ["name=fall", "stages.extract.extractor=cascade", "stages.extract.columns=[title, licence]"]
    sets = [part for change in changes for part in ("--set", change)]
    warc = ["--set", f"source.warc={json.dumps([str(quickstart / 'sample' / '*.warc.gz')])}"]
    for workers, run in ((1, inside), (2, gristmill)):
        place = ["--workdir", f"by{workers}", "--workers", workers]
        run("run", QUICKSTART, *sets, *warc, *place, cwd=quickstart)
    fall, usual = quickstart / "by1" / "fall", quickstart / "runs" / "quickstart"
    assert difference(outputs(fall), outputs(quickstart / "by2" / "fall")) == []
    inside("audit", fall, cwd=quickstart)
    for run in (fall, usual):
        inside("fates", run, "-o", tmp_path / f"{run.name}.parquet", cwd=quickstart)
    ours, theirs = (pq.read_table(tmp_path / f"{run.name}.parquet").to_pylist() for run in (fall, usual))
    differing = [
        (a["id"], a["reason"], b["reason"]) for a, b in zip(ours, theirs, strict=True) if a["kept"] != b["kept"]
    ]
    assert differing == []
    documents = pq.read_table(fall / "documents").to_pylist()
    assert {row[schema.EXTRACTOR] for row in documents} == {None, "resiliparse", "trafilatura"}
    assert all((row[schema.EXTRACTOR] is None) == (row[schema.TEXT] is None) for row in documents)
    assert any(row[schema.TITLE] for row in documents)
    titled = next(row[schema.ID] for row in documents if row[schema.TITLE])
    assert titled in inside("explain", fall, titled, cwd=quickstart).stdout


@pytest.mark.parametrize(
    ("page", "column", "value"),
    [
        ("<title> The\n mill &amp; the\trace </title>", "title", "The mill & the race"),
        ("<svg><title>A drawing</title></svg>", "title", None),
        ("<title></title>", "title", None),
        (f"<title>{'ab ' * 400}</title>", "title", ("ab " * 400)[:500].strip()),
        ("<title>a\x01b\x7f&#8232;c</title>", "title", "a b c"),
        ('<meta property="article:published_time" content="2024-04-21T06:24">', "published", "2024-04-21T06:24"),
        ('<meta name=date content=1><meta name="DC.Date.Issued" content="21 April 24">', "published", "21 April 24"),
        ('<meta name=date content="soon"><meta name=pubdate content="1. 2. 2003">', "published", "1. 2. 2003"),
        ('<script type="application/ld+json">{"a": [{"datePublished" : "2024"}]}</script>', "published", "2024"),
        ("<script>{'datePublished': '2024-04-21'}</script>", "published", None),
        ("<time itemprop=datePublished datetime=2024-04-21>in April</time>", "published", "2024-04-21"),
        ("<time pubdate>21. 4. 2024</time>", "published", "21. 4. 2024"),
        ("<time datetime=2024-04-21>seen in April</time>", "published", None),
        (f"<meta name=date content='{'1' * 65}'>", "published", None),
        ("<a rel='nofollow License' href=' /terms '>terms</a>", "licence", "/terms"),
        ("<link rel=license href='https://example.org/l'><a rel=license href=/x>", "licence", "https://example.org/l"),
        ("<a href='//creativecommons.org/licenses/by/'>CC</a>", "licence", "//creativecommons.org/licenses/by/"),
        ("<a href='HTTP://CreativeCommons.org/publicdomain/'>", "licence", "HTTP://CreativeCommons.org/publicdomain/"),
        ("<a href='https://creativecommons.org/about'>", "licence", None),
        ("<a href='https://evil.example/?creativecommons.org/licenses/by'>", "licence", None),
        (f"<a rel=license href='/{'x' * 2000}'>", "licence", None),
        ("<a rel=license>", "licence", None),
    ],
)  # fmt: skip
def test_columns_are_taken_as_they_stand(page, column, value):
    assert column_values(page, (column,)) == (value,)


@given(st.text(st.characters() | st.sampled_from("<>=\"'/ \0\n"), max_size=200) | strategies.texts())
def test_a_hostile_page_fills_columns_with_one_line_or_nothing(text):
    page = f'<title>{text}</title><meta name=date content="{text}"><a rel=license href="{text}">x</a>{text}'
    for value in column_values(page, tuple(COLUMNS)):
        assert value is None or (value.strip() == value != "" and len(value) <= 2000 and len(value.splitlines()) == 1)
        assert value is None or not any(ord(character) < 32 for character in value)
        (value or "").encode()


def test_columns_are_there_only_where_they_are_asked_for(tmp_path):
    page = html(warcs.PROSE, head="<title>A mill</title>").encode()
    path = tmp_path / "a.warc.gz"
    bare = warcs.record("response", warcs.http(page.replace(b"<title>A mill</title>", b"")))
    gone = warcs.record("response", warcs.http(page, status="404 Not Found"))
    path.write_bytes(warcs.members([warcs.record("response", warcs.http(page)), bare, gone]))
    (plain,) = Extraction(WholeFile(str(path), "a"), ExtractSettings(extractor="resiliparse"))
    assert plain.schema == schema.DOCUMENTS
    asked = ExtractSettings(extractor="resiliparse", columns=["title", "licence", "title"])
    (batch,) = Extraction(WholeFile(str(path), "a"), asked)
    assert batch.schema.names == [*schema.DOCUMENTS.names, "licence", "title"]
    assert batch.column("title").to_pylist() == ["A mill", None, None]
    assert batch.column("licence").null_count == 3
    assert batch.select(plain.schema.names).equals(plain)


def test_columns_have_names_and_meanings():
    assert list(COLUMNS) == schema.PAGE_COLUMNS.names
