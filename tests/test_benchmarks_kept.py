"""Benchmarks of the registry are fetched once, and an index is built once, whatever fails or is killed."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import Document, carry_out, make_run
from crawl_server import KINDS, serving
from typer.testing import CliRunner

from gristmill.access.settings import AccessSettings
from gristmill.cli import app
from gristmill.dedup.benchmarks import read_items, saved, sources
from gristmill.dedup.benchmarks.keep import keep
from gristmill.dedup.benchmarks.registered import BENCHMARKS
from gristmill.dedup.benchmarks.saved import MOST_INDEXES, benchmark_index, is_kept, place_of
from gristmill.dedup.benchmarks.settings import BenchmarkSettings
from gristmill.dedup.benchmarks.sources import benchmark_files, benchmarks_digest, kept_at
from gristmill.dedup.contamination import BenchmarkIndex
from gristmill.dedup.settings import DecontaminateSettings
from gristmill.errors import AccessError, MissingError, StaleError, UsageError

AT_ONCE = AccessSettings(requests_per_second=10_000, tries=3, timeout=5.0, first_wait=0.0, longest_wait=0.0)
QUESTION = "Janet’s ducks lay 16 eggs per day. She eats three for breakfast every morning and bakes muffins."
ANSWER = "Janet sells 16 - 3 - 4 = 9 duck eggs a day, and makes 9 * 2 = 18 dollars at the market."
MATHS = [f"How many of the {word} grains can the mill by the river grind in a day and a night" for word in "abcdefg"]

ROWS = {
    "gsm8k": [{"question": QUESTION, "answer": ANSWER}],
    "arc_easy": [{"id": "M_1", "question": "Why?", "choices": {"text": ["a", "b"], "label": ["A", "B"]}}],
    "boolq": [{"question": "is it", "passage": "of Wikipedia", "idx": 0, "label": 1}],
    "copa": [{"premise": "It rained.", "choice1": "Wet.", "choice2": "Dry.", "idx": 0, "label": 0}],
    "hellaswag": [{"ind": 4, "ctx": "A man sits.", "endings": ["he flies.", "he stands."], "label": "1"}],
    "humaneval": [
        {"task_id": "HumanEval/0", "prompt": "def f():\n", "canonical_solution": "  return 1\n", "test": "assert f()"}
    ],
    "math": [{"problem": text, "level": "Level 1", "type": "Algebra", "solution": "42"} for text in MATHS],
    "mbpp": [{"task_id": 11, "text": "Write f.", "code": "def f(): ...", "test_list": ["assert f()", "assert f"]}],
    "mmlu": [{"question": "Which?", "subject": "law", "choices": ["a", "b", "c", "d"], "answer": 3}],
    "piqa": [{"goal": "To sleep", "sol1": "lie down.", "sol2": "stand up.", "label": 0}],
    "sciq": [
        {"question": "What?", "correct_answer": "x", "distractor1": "1", "distractor2": "2", "distractor3": "3",
         "support": "s"}
    ],
    "truthfulqa": [{"type": "A", "question": "What?", "best_answer": "x", "correct_answers": ["x", "y"],
                    "incorrect_answers": ["z"]}],
    "winogrande": [{"sentence": "So _ won.", "option1": "Sarah", "option2": "Maria", "answer": "2"}],
}  # fmt: skip
"""Rows as the Hub has them."""


def parquet(rows: list[dict]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue()


def path_of(name: str, config: int = 0) -> str:
    found = BENCHMARKS[name]
    return f"/datasets/{found.dataset}/resolve/refs/convert/parquet/{found.configs[config]}/{found.split}/0000.parquet"


def hub_files() -> dict[str, bytes]:
    return {
        path_of(name, number): parquet(rows[number : number + 1] if name == "math" else rows)
        for name, rows in ROWS.items()
        for number in range(len(BENCHMARKS[name].configs))
    }


def named(*names: str) -> list[BenchmarkSettings]:
    return [BenchmarkSettings(name=name) for name in names]


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "ACCESS", AT_ONCE)
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    sources._elsewhere.cache_clear()


@pytest.fixture
def hub(monkeypatch):
    with serving(hub_files()) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def built(monkeypatch) -> list[DecontaminateSettings]:
    """Return the list of what indexes are built for, from now on."""
    seen: list[DecontaminateSettings] = []
    build = BenchmarkIndex.build
    monkeypatch.setattr(BenchmarkIndex, "build", staticmethod(lambda given: seen.append(given) or build(given)))
    return seen


def sums(folder) -> DecontaminateSettings:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sums.jsonl").write_text(json.dumps({"id": "sums/0", "q": QUESTION}))
    return DecontaminateSettings(benchmarks=[str(folder / "sums.jsonl")])


# the Hub


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gsm8k", [("0", ["question", "answer"], [QUESTION, ANSWER])]),
        ("arc_easy", [("M_1", ["question", "choices", "choices"], ["Why?", "a", "b"])]),
        ("boolq", [("0", ["question"], ["is it"])]),
        ("copa", [("0", ["premise", "choices", "choices"], ["It rained.", "Wet.", "Dry."])]),
        ("hellaswag", [("0", ["ctx", "endings", "endings", "ended"],
                        ["A man sits.", "he flies.", "he stands.", "A man sits. he stands."])]),
        ("humaneval", [("HumanEval/0", ["solution", "test"], ["def f():\n  return 1\n", "assert f()"])]),
        ("math", [(f"{config}/0", ["problem", "solution"], [text, "42"])
                  for config, text in zip(BENCHMARKS["math"].configs, MATHS, strict=True)]),
        ("mbpp", [("11", ["text", "code", "test_list", "test_list"],
                   ["Write f.", "def f(): ...", "assert f()", "assert f"])]),
        ("mmlu", [("0", ["question", *["choices"] * 4], ["Which?", "a", "b", "c", "d"])]),
        ("piqa", [("0", ["goal", "solutions", "solutions", "solved"],
                   ["To sleep", "lie down.", "stand up.", "To sleep lie down."])]),
        ("sciq", [("0", ["question", *["choices"] * 4], ["What?", "x", "1", "2", "3"])]),
        ("truthfulqa", [("0", ["question", "correct_answers", "correct_answers", "incorrect_answers"],
                         ["What?", "x", "y", "z"])]),
        ("winogrande", [("0", ["filled"], ["So Maria won."])]),
    ],
)  # fmt: skip
def test_items_of_the_hub(hub, name, expected):
    found = read_items(named(name))
    assert (
        list(zip(*(found[column].to_pylist() for column in ("benchmark_item", "fields", "text")), strict=True))
        == expected
    )
    assert set(found["benchmark"].to_pylist()) == {name}


def test_code_is_told_from_prose(hub):
    assert read_items(named("mbpp"))["kinds"].to_pylist() == [["prose", "code", "code", "code"]]
    assert read_items(named("humaneval"))["kinds"].to_pylist() == [["code", "code"]]


def test_fetched_once_then_read_from_the_cache(hub):
    before = read_items(named("gsm8k", "math"))
    assert len({path for path, _ in hub.requests}) == 8
    sources._elsewhere.cache_clear()
    hub.heal()
    hub.files.clear()
    assert read_items(named("gsm8k", "math")).equals(before)
    assert hub.requests == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_tried_again(hub, kind):
    hub.fail(path_of("gsm8k"), kind, kind)
    assert len(read_items(named("gsm8k"))) == 1


def test_a_part_of_a_killed_process_is_written_over(hub):
    target = kept_at(BENCHMARKS["gsm8k"].addresses[0])
    target.parent.mkdir(parents=True)
    target.with_name(f"{target.name}.part").write_bytes(b"half of it" * 10_000)
    assert len(read_items(named("gsm8k"))) == 1
    assert [path.name for path in target.parent.glob("[!.]*")] == [target.name]


@pytest.mark.parametrize("fault", ["503", "404", "401"])
def test_what_the_hub_refuses_leaves_nothing_and_is_told(hub, fault):
    hub.fail(path_of("gsm8k"), fault, forever=True)
    with pytest.raises((AccessError, MissingError), match=rf"benchmark 'gsm8k': {hub.url}.*0000.parquet .*{fault}"):
        read_items(named("gsm8k"))
    assert not kept_at(BENCHMARKS["gsm8k"].addresses[0]).exists()


def test_offline_the_error_says_the_address_and_the_ways_out(tmp_path):
    with pytest.raises(AccessError) as caught:
        read_items(named("gsm8k"))
    message = str(caught.value)
    assert "http://127.0.0.1:9/datasets/openai/gsm8k/resolve/refs%2Fconvert%2Fparquet/main/test/0000.parquet" in message
    assert "`gristmill benchmarks pull gsm8k`" in message
    assert f"put the file at {kept_at(BENCHMARKS['gsm8k'].addresses[0])}" in message
    assert "{name: gsm8k, path: FILE, like: gsm8k}" in message
    kept = kept_at(BENCHMARKS["gsm8k"].addresses[0])
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(parquet(ROWS["gsm8k"]))
    (tmp_path / "mine.parquet").write_bytes(kept.read_bytes())
    mine = BenchmarkSettings(name="gsm8k", path=str(tmp_path / "mine.parquet"), like="gsm8k")
    assert read_items(named("gsm8k")).equals(read_items([mine]))


def test_hub_urls_need_no_package(hub, tmp_path):
    found = read_items([BenchmarkSettings(path="hf://datasets/openai/gsm8k@~parquet/main/test/0000.parquet", name="x")])
    assert found["text"].to_pylist() == [[QUESTION, ANSWER]]
    assert not (tmp_path / "cache").exists()
    assert len(set(hub.requests)) == 1


def test_the_digest_covers_names_fields_and_bytes(tmp_path):
    path = tmp_path / "b.jsonl"

    def digest(content: str, **said) -> str:
        path.write_text(content)
        return benchmarks_digest([BenchmarkSettings(path=str(path), **said)])

    line = '{"q": "x", "a": "y"}'
    said = [{}, {"name": "n"}, {"fields": ["q"]}, {"fields": ["a"]}, {"kind": "code"}, {"split": "train"}, {"id": "q"}]
    found = [digest(line, **each) for each in said] + [digest(f"{line}\n"), digest(line, train={"q": ["x"]})]
    assert len(set(found)) == len(found)
    assert digest(line) == found[0]
    said = BenchmarkSettings(path=str(path.rename(tmp_path / "b.csv")), name="b")
    assert benchmarks_digest([said]) != found[0]
    moved = (tmp_path / "b.csv").rename(tmp_path / "b.txt")
    assert benchmarks_digest([BenchmarkSettings(path=str(moved))]) == found[0]


# the index


def test_an_index_is_built_once(tmp_path, built):
    settings = sums(tmp_path)
    assert not is_kept(settings)
    first = benchmark_index(settings)
    again = benchmark_index(settings.model_copy(update={"action": "report"}))
    assert len(built) == 1
    assert is_kept(settings)
    asked = pa.array([QUESTION, "neither"])
    assert first.digest == again.digest
    assert first.scan(asked).equals(again.scan(asked))
    benchmark_index(settings.model_copy(update={"ngram": 8}))
    assert len(built) == 2


@pytest.mark.parametrize("damage", [lambda content: content[:100], lambda _: b"", lambda _: b"PAR1" * 9])
def test_a_damaged_index_is_built_again(tmp_path, built, damage):
    settings = sums(tmp_path)
    benchmark_index(settings)
    place = place_of(settings)
    whole = place.read_bytes()
    place.write_bytes(damage(whole))
    benchmark_index(settings)
    assert len(built) == 2
    assert place.read_bytes() == whole


def test_an_index_of_another_content_is_not_kept(tmp_path, monkeypatch):
    settings = sums(tmp_path)
    place, build = place_of(settings), BenchmarkIndex.build

    def changed(given: DecontaminateSettings) -> BenchmarkIndex:
        (tmp_path / "sums.jsonl").write_text(json.dumps({"q": ANSWER}))
        return build(given)

    monkeypatch.setattr(BenchmarkIndex, "build", staticmethod(changed))
    with pytest.raises(StaleError, match="changed while it was read"):
        benchmark_index(settings)
    assert not place.exists()


def test_a_cache_that_cannot_be_written_to_costs_only_time(tmp_path, built, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("GRISTMILL_CACHE", str(tmp_path / "file"))
    assert benchmark_index(sums(tmp_path)).ngram_count == benchmark_index(sums(tmp_path)).ngram_count > 0
    assert len(built) == 2


def test_the_indexes_used_last_are_kept(tmp_path):
    given = sums(tmp_path)
    settings = [given.model_copy(update={"ngram": 5 + number}) for number in range(MOST_INDEXES + 2)]
    for each in settings:
        benchmark_index(each)
        benchmark_index(settings[0])
    assert is_kept(settings[0])
    assert [is_kept(each) for each in settings].count(True) == MOST_INDEXES
    assert is_kept(settings[-1])


def test_of_several_that_begin_at_once_one_builds(tmp_path, built):
    settings = sums(tmp_path)
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(benchmark_index(settings).digest)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 4
    assert len(built) == 1


def test_what_fails_while_it_is_made_leaves_no_name(tmp_path):
    def fail() -> bytes:
        raise MissingError("nothing to write")

    with pytest.raises(MissingError):
        keep(tmp_path / "a", fail)
    keep(tmp_path / "a", lambda: b"whole")
    keep(tmp_path / "a", fail)
    assert (tmp_path / "a").read_bytes() == b"whole"


# runs

STAGES = "  - decontaminate: {benchmarks: [gsm8k, {path: PATH, split: train}], ngram: 8}\n"


def run_of(folder, name="mill"):
    (folder / "own.csv").write_text(f'q\n"{QUESTION} And so on."\n')
    documents = [Document("1", f"See: {QUESTION.upper()}"), Document("2", "A page of its own.")]
    return make_run(folder, {"a": documents}, STAGES.replace("PATH", str(folder / "own.csv")), name)


def folder_of(run) -> str:
    return next(step.folder for step in run.plan.steps if step.kind == "contamination")


def test_a_recipe_names_benchmarks_and_the_next_run_builds_nothing(hub, tmp_path, built):
    first = run_of(tmp_path)
    carry_out(first)
    facts = first.folder.read_json(f"{folder_of(first)}/index/benchmarks.json")
    assert [each["benchmark"] for each in facts["files"]] == ["gsm8k", "own"]
    assert facts["files"][0]["address"] == BENCHMARKS["gsm8k"].addresses[0]
    own = BenchmarkSettings(path=str(tmp_path / "own.csv"))
    assert facts["files"] == list(benchmark_files([*named("gsm8k"), own]))
    assert len(built) == 1
    hub.files.clear()
    second = run_of(tmp_path, "second")
    carry_out(second)
    assert len(built) == 1
    one, two = (run.folder.read_bytes(f"{folder_of(run)}/index/index.parquet") for run in (first, second))
    assert one == two


@pytest.mark.parametrize(
    ("benchmarks", "message"),
    [
        (
            "[{path: a.csv, feilds: [q]}]",
            "unknown key 'stages.decontaminate.benchmarks.feilds'; did you mean 'fields'?",
        ),
        (
            "[{path: a.csv, fields: [{text: q, choicse: c}]}]",
            "unknown key 'stages.decontaminate.benchmarks.fields.choicse'; did you mean 'choices'?",
        ),
        ("[gsm8q]", "benchmark 'gsm8q' is no name in the registry; did you mean 'gsm8k'?"),
        ("[]", "'stages.decontaminate.benchmarks': tuple should have at least 1 item after validation, not 0"),
    ],
)
def test_a_mistake_in_a_recipe_is_told_once(tmp_path, benchmarks, message):
    with pytest.raises(UsageError) as caught:
        make_run(tmp_path, {"a": []}, f"  - decontaminate: {{benchmarks: {benchmarks}}}\n")
    assert str(caught.value).startswith(message)
    assert str(caught.value).count("\n") == 0


def test_a_benchmark_that_changed_since_the_plan_is_refused(hub, tmp_path):
    run = run_of(tmp_path)
    (tmp_path / "own.csv").write_text("q\nanother\n")
    with pytest.raises(StaleError, match="a file of gsm8k, own has changed since the run was planned"):
        carry_out(run)


# commands


def command(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["benchmarks", *arguments], env={"COLUMNS": "200"})
    assert found.exit_code == 0, found.exception or found.output
    return found.output


def test_list_pull_and_show(hub, tmp_path):
    listed = {each["name"]: each for each in json.loads(command("list", "--json"))}
    assert set(listed) == set(BENCHMARKS)
    assert not listed["gsm8k"]["here"]
    assert listed["winogrande"]["fields"][0]["blank"] == "_"
    pulled = command("pull", "gsm8k")
    assert BENCHMARKS["gsm8k"].addresses[0] in pulled
    assert json.loads(command("list", "--json"))[[*BENCHMARKS].index("gsm8k")]["here"]
    assert re_row(command("list"), "gsm8k") == ["gsm8k", "1,319", "prose", "yes", "MIT"]
    shown = command("show", "gsm8k")
    assert "gsm8k: 1 items; 0 have no text of 13 words or more" in shown
    assert f"question:  {QUESTION}" in shown
    hub.files[path_of("gsm8k")] = parquet([{"question": "another", "answer": "one"}])
    sources._elsewhere.cache_clear()
    assert command("pull", "gsm8k") == pulled
    assert command("pull", "--again", "gsm8k") != pulled


def re_row(output: str, name: str) -> list[str]:
    return next(line.split() for line in output.splitlines() if line.startswith(f"{name} "))[:5]


def test_show_escapes_what_a_terminal_obeys(tmp_path):
    path = tmp_path / "b.jsonl"
    path.write_text(json.dumps({"q\x1b[31m": "[red]\x1b[2J", "a": "two\nlines"}))
    shown = command("show", str(path))
    assert "\x1b" not in shown
    assert "q\\x1b[31m:  [red]\\x1b[2J" in shown
    assert "no field" not in shown
    assert "a:  two\nlines" in shown
    assert "q" not in command("show", str(path), "--fields", "a").partition("b 1\n")[2]


def test_what_cannot_be_pulled_is_told_for_all(hub):
    hub.files.pop(path_of("gsm8k"))
    found = CliRunner().invoke(app, ["benchmarks", "pull", "gsm8k", "mmlu"])
    assert isinstance(found.exception, MissingError)
    assert "benchmark 'gsm8k'" in str(found.exception)
    assert BENCHMARKS["mmlu"].addresses[0] in found.output


def test_a_hub_that_does_not_answer_is_asked_once():
    found = CliRunner().invoke(app, ["benchmarks", "pull", "all"])
    assert isinstance(found.exception, AccessError)
    assert str(found.exception).count("cannot be read") == 1


def test_the_table_in_the_docs_is_the_registry():
    rows = (Path(__file__).parent.parent / "docs" / "benchmarks.md").read_text("utf-8").splitlines()
    for found in BENCHMARKS.values():
        row = next(row for row in rows if row.startswith(f"| `{found.name}` |"))
        items = "" if found.items is None else f"{found.items:,}"
        for cell in (found.dataset, found.split, items, found.licence, *(f"`{each.called}`" for each in found.fields)):
            assert cell in row


def test_the_places_are_in_the_cache(tmp_path):
    assert place_of(sums(tmp_path)).parent == tmp_path / "cache" / "benchmarks" / "indexes"
    assert saved.MOST_INDEXES > 1
