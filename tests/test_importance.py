"""Importance resampling: kernels against slow twins; the draw, exact whatever the shards; closer to its target."""

import gzip
import json
import math
import random

import numpy as np
import pyarrow as pa
import pytest
import reference_importance as twin
from corpora import Document, carry_out, make_run
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import texts

from gristmill import schema
from gristmill.classifiers.importance.settings import ImportanceSettings
from gristmill.classifiers.importance.weights import (
    divergence,
    features_of,
    gumbel_noise,
    log_ratios,
    no_features,
    weigh,
)
from gristmill.errors import GristmillError, MissingError, RecipeError, UsageError
from gristmill.pipeline.audit import audit
from gristmill.pipeline.session import planned
from gristmill.report.card import render_card
from gristmill.report.explain import explain
from gristmill.report.html import render_html
from gristmill.report.stats import collect
from gristmill.report.swept import find_rule


def asked(**settings):
    return ImportanceSettings(target="-", **settings)


def strings(values):
    return pa.array(values, pa.large_string())


# features and weights


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | texts(), max_size=6), st.integers(1, 3), st.sampled_from([2, 97, 10_000]))
def test_counts_and_sums_are_the_twins(rows, longest, buckets):
    chosen = asked(ngrams=longest, buckets=buckets)
    found = features_of(strings(rows), chosen)
    assert found.counts.tolist() == twin.counts(rows, longest, buckets)
    assert found.texts == sum(row is not None for row in rows)
    values = np.random.default_rng(0).normal(size=buckets)
    layer = weigh(strings(rows), values, chosen)
    for row, weight, words in zip(rows, *(column.to_pylist() for column in layer.columns), strict=True):
        if row is None:
            assert (weight, words) == (None, None)
            continue
        total = 0.0
        for bucket in twin.features(row, longest, buckets):
            total += values[bucket]
        assert weight == total
        assert words == len(twin.unicode_words(twin.lower(row)))


def test_what_texts_there_are_and_how_they_are_cut_into_batches_does_not_matter():
    rows = ["One two, THREE.", "", None, "a\0b " * 500, "x" * 100_000, "中文 字"]
    chosen = asked()
    whole = features_of(strings(rows), chosen)
    parts = sum((features_of(strings([row]), chosen) for row in rows), no_features(chosen))
    assert whole.counts.tolist() == parts.counts.tolist()
    assert (
        features_of(strings(["one TWO"]), chosen).counts.tolist()
        == features_of(strings(["ONE two"]), chosen).counts.tolist()
    )
    assert features_of(strings(rows).slice(1, 3), chosen).total == features_of(strings(rows[1:4]), chosen).total
    assert features_of(strings([]), chosen).total == 0


def test_ratios_are_the_twins_and_smoothed():
    chosen = asked(buckets=50)
    target, raw = strings(["a b c a", None, "d"]), strings(["a x y", "z z z z"])
    found = log_ratios(features_of(target, chosen), features_of(raw, chosen), chosen)
    of_target, of_raw = (twin.counts(rows.to_pylist(), 2, 50) for rows in (target, raw))
    assert found.tolist() == twin.ratios(of_target, of_raw, 1e-8)
    assert np.isfinite(found).all()
    with pytest.raises(ValueError, match="no n-grams"):
        log_ratios(no_features(chosen), features_of(raw, chosen), chosen)


def test_texts_are_weighed_as_if_all_were_as_long():
    rows, values = strings(["a b c", "", "a", None]), np.arange(50) / 7
    plain, mean, ten = (weigh(rows, values, asked(buckets=50, scale_to=n)).column(0).to_pylist() for n in (None, 1, 10))
    assert mean == [pytest.approx(plain[0] / 5), 0.0, plain[2], None]
    assert ten[:3] == pytest.approx([10 * value for value in mean[:3]])


@given(st.integers(0, 2**64 - 1))
def test_noise_is_the_twins_and_finite(value):
    (found,) = gumbel_noise(np.array([value], np.uint64))
    assert found == pytest.approx(twin.gumbel(value), rel=1e-14)
    assert math.isfinite(found)


def test_noise_has_the_mean_and_deviation_of_a_gumbel_variate():
    found = gumbel_noise(np.random.default_rng(1).integers(0, 2**64, 200_000, np.uint64, endpoint=False))
    assert found.mean() == pytest.approx(0.5772, abs=0.02)
    assert found.std() == pytest.approx(math.pi / math.sqrt(6), abs=0.02)


# the resampled set is closer to the target


def divergences(target, raw, seed, **settings):
    """KL from the target of what is drawn, and of as many at random."""
    chosen = asked(min_words=0, **settings)
    of_target = features_of(strings(target), chosen)
    ratios = log_ratios(of_target, features_of(strings(raw), chosen), chosen)
    rng = random.Random(seed)
    hashes = np.array([rng.getrandbits(64) for _ in raw], np.uint64)
    keys = np.asarray(weigh(strings(raw), ratios, chosen).column(0)) + gumbel_noise(hashes)
    drawn, other = [raw[i] for i in np.argsort(-keys)[: chosen.take]], rng.sample(raw, chosen.take)
    return [divergence(of_target, features_of(strings(rows), chosen), 1e-8) for rows in (drawn, other)]


def sentences(words, number, length, rng):
    return [" ".join(rng.choices(words, k=length)) for _ in range(number)]


@pytest.mark.parametrize("seed", range(5))
def test_a_resampled_set_is_closer_to_the_target_than_a_random_one(seed):
    rng = random.Random(f"words {seed}")
    science, shop = [f"s{i}" for i in range(40)], [f"b{i}" for i in range(40)]
    raw = [*sentences(science, 100, 60, rng), *sentences(shop, 400, 60, rng), *sentences(science + shop, 500, 60, rng)]
    drawn, other = divergences(sentences(science, 100, 60, rng), raw, seed, take=100)
    assert drawn < 0.5 * other


def test_a_text_is_closer_to_itself_than_to_another():
    chosen = asked(buckets=100)
    one, two = (features_of(strings([text]), chosen) for text in ("a b c d", "d c b e e"))
    assert divergence(one, one, 1e-8) == pytest.approx(0.0, abs=1e-12)
    assert divergence(one, two, 1e-8) > 1.0


def rows_of(data, name):
    with gzip.open(data / "text" / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return list(map(json.loads, file))


@pytest.mark.data
def test_of_web_pages_those_are_drawn_that_read_like_an_encyclopedia(data):
    """Passages of 100 words, as in the paper; and whole pages, weighed as if they were as long as these."""
    target = [row["text"] for row in rows_of(data, "wikipedia_paragraphs_12lang") if row["lang"] == "en"]
    pages = [row["text"] for name in ("noisy_web_fullpage", "dclm_human_majority_data") for row in rows_of(data, name)]
    words = [page.split() for page in pages]
    passages = [" ".join(of[i : i + 100]) for of in words for i in range(0, len(of) - 99, 100)]
    for seed in range(3):
        for raw, chosen in ((passages, {"take": 1000}), (pages, {"take": 300, "scale_to": 200})):
            drawn, other = divergences(target, raw, seed, **chosen)
            assert drawn < 0.85 * other


# over a run


def corpus(folder, number=60):
    """A target file, and documents of two kinds by shard; `s` documents are like the target."""
    rng = random.Random(5)
    science, shop = [f"s{i}" for i in range(40)], [f"b{i}" for i in range(40)]
    folder.mkdir(exist_ok=True, parents=True)
    lines = [json.dumps({"text": text, "other": 1}) for text in sentences(science, 20, 30, rng)]
    (folder / "target.jsonl").write_text("\n".join(lines), "utf-8")
    documents = []
    for i in range(number):
        words, kind = (science, "s") if i % 3 == 0 else (shop, "b")
        (text,) = sentences(words + science[:10], 1, 12, rng)
        documents.append(Document(f"{kind}/{i}", text, f"http://example.org/{kind}/{i}"))
    return {
        "a": documents[:25],
        "b": [*documents[25:], Document("none/1", None), Document("none/2", "too short")],
        "c": [],
    }


def stage(folder, **settings):
    settings = {"target": str(folder / "target.jsonl"), "buckets": 500, "min_words": 5, **settings}
    return f"  - importance: {json.dumps({key: value for key, value in settings.items() if value is not None})}\n"


def drawn(run, stage="importance.keep"):
    """The ids that the draw keeps, and why it drops the others."""
    kept, reasons = set(), {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        has_text = run.keep(run.plan.text_step, shard).to_pylist()
        for identity, row, there in zip(ids, run.read(run.plan.step(stage), shard).to_pylist(), has_text, strict=True):
            assert row["keep"] == (row["reason"] is None)
            if row["keep"] and there:
                kept.add(identity)
            elif there:
                reasons[identity] = row["reasons"]
    return kept, reasons


def test_as_many_are_drawn_as_are_wanted_and_like_the_target(tmp_path):
    run = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, take=15)))
    kept, reasons = drawn(run)
    assert len(kept) == 15
    assert sum(identity.startswith("s/") for identity in kept) >= 13
    assert reasons["none/2"] == ["importance.importance_word_count.min"]
    assert {tuple(why) for i, why in reasons.items() if i != "none/2"} == {("importance.importance_key.min",)}
    assert [finding.broken for finding in audit(run)] == [[]] * 7
    facts = json.loads(run.folder.read_bytes(f"{run.plan.step('importance').folder}/importance.json"))
    assert facts["target"] == {"texts": 20, "ngrams": 20 * 59}
    assert facts["run"]["texts"] == 61
    assert facts["divergence"] > 0


def test_the_draw_is_that_of_all_keys_sorted(tmp_path):
    run = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, fraction=0.3)))
    keys = {}
    for shard in run.plan.shards:
        ids = run.read(run.plan.text_step, shard, [schema.ID]).column(0).to_pylist()
        keys |= dict(zip(ids, run.read(run.plan.step("importance.key"), shard).column(0).to_pylist(), strict=True))
    known = sorted((key, i) for i, key in keys.items() if key is not None)
    assert drawn(run)[0] == {i for _, i in known[-(len(known) * 3 // 10) :]}
    assert len(known) == 60


def test_neither_shards_nor_order_change_the_draw_and_a_seed_does(tmp_path):
    shards = corpus(tmp_path)
    together = [document for name in "abc" for document in shards[name]][::-1]
    one = carry_out(make_run(tmp_path / "1", {"x": together}, stage(tmp_path, take=20, scale_to=1)))
    three = carry_out(make_run(tmp_path / "3", shards, stage(tmp_path, take=20, scale_to=1)), reverse=True)
    other = carry_out(make_run(tmp_path / "s", shards, stage(tmp_path, take=20, scale_to=1, seed=1)))
    assert drawn(one) == drawn(three)
    assert drawn(other)[0] != drawn(one)[0]
    assert other.plan.step("importance").digest == three.plan.step("importance").digest
    assert other.plan.step("importance.key").digest != three.plan.step("importance.key").digest


def test_of_equal_keys_the_least_hashes_of_ids_are_taken(tmp_path):
    corpus(tmp_path)
    same = [Document(f"d/{i}", "s1 s2 s3 s4 s5 s6") for i in range(20)]
    worse = [Document(f"w/{i}", "b1 b2 b3 b4 b5 b6") for i in range(5)]
    stages = stage(tmp_path, take=8, noise=False)
    one = carry_out(make_run(tmp_path / "1", {"a": same + worse}, stages))
    two = carry_out(make_run(tmp_path / "2", {"a": same[::-2], "b": worse + same[-2::-2]}, stages))
    kept, reasons = drawn(one)
    assert len(kept) == 8
    assert all(identity.startswith("d/") for identity in kept)
    assert set(map(tuple, reasons.values())) == {("importance.importance_key.min",)}
    assert drawn(two)[0] == kept
    assert (
        drawn(carry_out(make_run(tmp_path / "3", {"a": same}, stage(tmp_path, take=8, noise=False, seed=3))))[0] != kept
    )


def test_what_earlier_stages_dropped_is_neither_counted_nor_drawn(tmp_path):
    shards = corpus(tmp_path)
    shards["b"] = [*shards["b"], *(Document(f"long/{i}", "s1 s2 s3 " * 30) for i in range(9))]
    filtered = "  - signals: {families: [gopher_quality]}\n  - filter: {use: [], house: {word_count: {max: 50}}}\n"
    run = carry_out(make_run(tmp_path / "f", shards, filtered + stage(tmp_path, take=20)))
    plain = carry_out(make_run(tmp_path / "p", corpus(tmp_path), stage(tmp_path, take=20)))
    kept = {i for i in drawn(run)[0] if not i.startswith("long/")}
    assert kept == drawn(plain)[0]


def test_explain_and_the_report_say_why(tmp_path):
    run = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, take=15)))
    dropped = next(i for i, why in drawn(run)[1].items() if "importance.importance_key.min" in why)
    (explained,) = explain(run, f"http://example.org/{dropped}")
    outcome = next(of for of in explained.stages if of.stage == "importance")
    (rule,) = [rule for rule in outcome.rules if rule.code == "importance.importance_key.min"]
    assert rule.hit
    assert rule.parts[0].value < rule.parts[0].rule.bound
    assert math.isfinite(outcome.values["importance_log_weight"])
    stats = collect(run)
    (reasons,) = [of["reasons"] for of in stats["reasons"] if of["stage"] == "importance"]
    assert {of["reason"]: of["first"] for of in reasons} == {
        "importance.importance_key.min": 45,
        "importance.importance_word_count.min": 1,
    }
    assert {"importance_log_weight", "importance_key"} <= {record["signal"] for record in stats["signals"]}
    least = rule.parts[0].rule.bound
    assert {of["reason"]: [bound["bound"] for bound in of["bounds"]] for of in reasons} == {
        "importance.importance_word_count.min": [5],
        "importance.importance_key.min": [least],
    }
    (keys,) = [record for record in stats["signals"] if record["signal"] == "importance_key"]
    assert (keys["stage"], [bound["bound"] for bound in keys["bounds"]]) == ("importance", [least])
    (told,) = stats["importance"]
    assert told["draw"] == {"documents": 60, "taken": 15, "least_key": least}
    assert told["target"]["texts"] == 20
    assert told["run"]["texts"] == 61
    for page in (render_card(run, stats), render_html(stats)):
        assert "15 of 60 documents" in page
        assert f"{told['divergence']:.3f}" in page
        assert str(least) not in page
    with pytest.raises(UsageError, match="follows from how many documents stage 'importance' draws"):
        find_rule(run, "importance.importance_key.min")


def test_only_weights_without_a_number(tmp_path):
    stages = stage(tmp_path, min_words=None) + stage(tmp_path, min_words=None, name="second")
    run = carry_out(make_run(tmp_path, corpus(tmp_path), stages))
    assert [step.name for step in run.plan.steps] == ["extract", "importance", "importance-2"]
    first, second = (run.read(run.plan.step(name), run.plan.shards[0]) for name in ("importance", "importance-2"))
    assert second.column_names == ["second_importance_log_weight", "second_importance_word_count"]
    assert first.columns == second.columns


def test_a_finished_run_is_a_target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    old = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, take=15), "old"))
    new = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, target="old", take=15), "new"))
    facts = json.loads(new.folder.read_bytes(f"{new.plan.step('importance').folder}/importance.json"))
    assert facts["target"]["texts"] == 15
    assert old.plan.digest != new.plan.digest


def test_a_run_cannot_be_its_own_target(tmp_path):
    run = carry_out(make_run(tmp_path, corpus(tmp_path), stage(tmp_path, take=15)))
    (tmp_path / "mill.yaml").write_text(
        f"name: mill\nsource: {{warc: ['{tmp_path}/mill-warcs/*.warc.gz']}}\nstages:\n  - extract\n"
        + stage(tmp_path, take=15, target=run.folder.url)
    )
    with pytest.raises(UsageError, match="run 'mill' cannot be its own target"):
        planned(tmp_path / "mill.yaml", workdir=str(tmp_path))


def test_the_target_s_bytes_are_in_the_digest_and_its_place_is_not(tmp_path):
    shards = corpus(tmp_path)
    steps = [make_run(tmp_path, shards, stage(tmp_path, take=1), "one").plan.step("importance").digest]
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes((tmp_path / "target.jsonl").read_bytes())
    steps.append(
        make_run(tmp_path, shards, stage(tmp_path, target=str(moved), take=1), "two").plan.step("importance").digest
    )
    moved.write_text(json.dumps({"text": "other words"}), "utf-8")
    steps.append(
        make_run(tmp_path, shards, stage(tmp_path, target=str(moved), take=1), "six").plan.step("importance").digest
    )
    assert steps[0] == steps[1] != steps[2]


@pytest.mark.parametrize(
    ("settings", "content", "kind", "said"),
    [
        ({}, "", UsageError, r"target.jsonl has no text in 'text'"),
        ({}, '{"text": " \\n"}\n{"text": null}', UsageError, r"has no text in 'text': every text in it is empty"),
        ({}, '{"body": "x"}', UsageError, r"has no key 'text'; it has: body"),
        ({"text_column": "n"}, '{"n": 5}', UsageError, r"'n' is int64, not text"),
        ({"target": "gone/*.jsonl"}, "x", MissingError, r"gone/\*.jsonl is no file and no run"),
        ({"take": 0}, "x", RecipeError, r"importance.take.*greater than or equal to 1, got 0"),
        ({"take": 5, "fraction": 0.5}, "x", RecipeError, "not both"),
        ({"seed": 5}, "x", RecipeError, "nothing is drawn, so min_words, seed changes nothing"),
        ({"tagret": "x"}, "x", RecipeError, "did you mean 'target'"),
    ],
)
def test_mistakes_are_found_before_anything_runs(tmp_path, settings, content, kind, said):
    (tmp_path / "target.jsonl").write_text(content, "utf-8")
    settings = {"min_words": 5 if "seed" in settings or "take" in settings else None, **settings}
    with pytest.raises(kind, match=said) as raised:
        make_run(tmp_path, {"a": []}, stage(tmp_path, **settings))
    assert "mill.yaml:" in str(raised.value)


def test_a_parquet_target_without_the_column(tmp_path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"content": ["x"]}), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="has no column 'text'; it has: content"):
        make_run(tmp_path, {"a": []}, stage(tmp_path, target=str(tmp_path / "t.parquet"), min_words=None))


def test_two_targets_need_two_names(tmp_path):
    corpus(tmp_path)
    with pytest.raises(RecipeError, match="'importance_log_weight' is there already; .*name: second"):
        make_run(tmp_path, {"a": []}, stage(tmp_path, min_words=None) * 2)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"take": 61},
            r"take: 61 asks for 61 documents of the 60 that the stages before 'importance' kept and have at",
        ),
        ({"take": 1, "min_words": 500}, r"take: 1 asks for 1 documents of the 0 .* or lower min_words"),
        ({"fraction": 0.01}, r"fraction: 0.01 asks for 0 documents of the 60 .*; take a larger fraction"),
    ],
)
def test_fewer_documents_than_are_wanted(tmp_path, settings, said):
    run = make_run(tmp_path, corpus(tmp_path), stage(tmp_path, **settings))
    with pytest.raises(UsageError, match=said):
        carry_out(run)


def test_a_run_that_keeps_no_words_cannot_be_weighed(tmp_path):
    corpus(tmp_path)
    run = make_run(tmp_path / "r", {"a": [Document("a/1", ""), Document("a/2", None)]}, stage(tmp_path, take=1))
    with pytest.raises(GristmillError, match="kept no text with words"):
        carry_out(run)


def test_a_document_of_just_enough_words_is_drawn_like_any_other(tmp_path):
    corpus(tmp_path)
    shards = {"a": [Document(f"a/{i}", f"s{i} s1 s2 s3 s4") for i in range(4)] + [Document("short/1", "s1 s2 s3 s4")]}
    kept, reasons = drawn(carry_out(make_run(tmp_path / "r", shards, stage(tmp_path, take=1, min_words=5))))
    assert len(kept) == 1
    assert {i: why for i, why in reasons.items() if i.startswith("short/")} == {
        "short/1": ["importance.importance_word_count.min"]
    }
