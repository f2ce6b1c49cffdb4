from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import reference_tokenize as reference
import xxhash
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

from gristmill import schema
from gristmill.errors import CorruptError, MissingError, UsageError
from gristmill.tokenize import lookup, words
from gristmill.tokenize import pack as packing
from gristmill.tokenize._kernels import GPT2, GPT4, word_end
from gristmill.tokenize.encode import Encoder, load_tokenizer, versions
from gristmill.tokenize.order import keyed_hashes, order_keys
from gristmill.tokenize.pack import pack, tokens_digests, unpack
from gristmill.tokenize.reader import TokenShards
from gristmill.tokenize.settings import TokenizeSettings, whole_number
from gristmill.tokenize.shards import ShardFacts, index, key_range, shard_count, shard_names
from gristmill.tokenize.train import chosen, train_tokenizer
from gristmill.tokenize.words import PATTERNS, character_classes, text_slices

END = "<|endoftext|>"
PROSE = [
    "The miller's wheel doesn't turn; the water's low, and we'll wait until 1875 or 2024.",
    "Die Mühle am Bach mahlt 12 345 Säcke Korn, während der Müller schläft.",
    "Мельница стоит у реки, и вода идёт по жёлобу.\r\n\r\n  Дальше — лес.",
    "风车在河边转动。磨坊主人睡着了！\n\n\tहिन्दी में चक्की घूमती है",
    "for (int i = 0; i < 10; ++i) {\n    sum += values[i];   // add\n}\n",
]
# What crawled pages have: white space of all kinds, marks, contractions, digits, symbols, special tokens.
FRAGMENTS = [*" \n\t\u00a0\u2028\u3000\x00\x1c\u200d\U0010ffffé😀٣aZ…_", "e\u0301", "का", "  ", "\r\n", "!\n", "--"]
FRAGMENTS += ["'s", "'LL", "'ſ", "1234", "<|", "|>", END]
HOSTILE = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
        st.sampled_from(FRAGMENTS),
    ),
    max_size=12,
).map("".join)


def reference_words(text: str, pattern: int = GPT4) -> list[str]:
    split = pre_tokenizers.Split(Regex(PATTERNS[pattern]), "isolated")
    return [word for word, _ in split.pre_tokenize_str(text)]


def trained(vocabulary: int = 400, **settings: object) -> bytes:
    return train_tokenizer([pa.array(PROSE * 3)], TokenizeSettings(vocabulary=vocabulary, **settings))


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(trained(), END)


# settings


@pytest.mark.parametrize(
    ("text", "number"),
    [("64M", 64_000_000), ("100k", 100_000), ("1_000_000", 1_000_000), ("1.5Ki", 1536), ("1 GiB", 1 << 30), (7, 7)],
)
def test_numbers_may_be_written_short(text: object, number: int) -> None:
    assert whole_number(text) == number
    assert TokenizeSettings(training_bytes=text).training_bytes == number


@pytest.mark.parametrize("text", ["", "M", "1.5", "0.3k3", "-1", "1e6", "64 X"])
def test_a_text_that_is_no_whole_number_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="whole number"):
        TokenizeSettings(shard_tokens=text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"sequence_length": 0},
        {"vocabulary": 256},
        {"shard_tokens": 0},
        {"training_bytes": "2G"},
        {"seed": -1},
        {"tokeniser": "x"},
        {"end_of_text": ""},
    ],
)
def test_settings_refuse_what_cannot_work(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TokenizeSettings.model_validate(wrong)


def test_settings_survive_the_way_through_json() -> None:
    settings = TokenizeSettings(shard_tokens="64M", training_bytes="1Gi", seed=2**64 - 1)
    assert TokenizeSettings.model_validate(json.loads(settings.model_dump_json())) == settings
    assert settings.training_bytes == 1 << 30


# order


def test_the_order_depends_on_seed_and_id_alone() -> None:
    ids = [f"shard-{i % 7}/{i}" for i in range(500)]
    keys = dict(zip(ids, order_keys(pa.array(ids), 3).to_pylist(), strict=True))
    backwards = pa.chunked_array([pa.array(ids[::-1][:100]), pa.array(ids[::-1][100:])])
    assert dict(zip(ids[::-1], order_keys(backwards, 3).to_pylist(), strict=True)) == keys
    sliced = pa.array(["x", *ids, "y"], pa.large_string()).slice(1, len(ids))
    assert order_keys(sliced, 3).to_pylist() == list(keys.values())
    assert order_keys(pa.array(ids), 4).to_pylist() != list(keys.values())
    assert len(set(keys.values())) == 500


def test_the_order_is_the_hash_that_the_docs_name() -> None:
    seeded = xxhash.xxh3_64_intdigest(b"order", seed=9)
    assert order_keys(pa.array(["a/1"]), 9).to_pylist() == [xxhash.xxh3_64_intdigest(b"a/1", seed=seeded)]
    assert order_keys(pa.array(["shard/0"]), 0).to_pylist() == [5084266866095001479]
    assert len(keyed_hashes(pa.array([], pa.string()), 0, "order")) == 0


def test_a_sample_is_nested_and_independent_of_the_order() -> None:
    ids = pa.array([f"s/{i}" for i in range(20_000)])
    shares = [0.0, 0.1, 0.5, 1.0]
    samples = [np.asarray(chosen(ids, 1, share)) for share in shares]
    for share, sample in zip(shares, samples, strict=True):
        assert abs(sample.mean() - share) < 0.02
    for smaller, larger in pairwise(samples):
        assert not np.any(smaller & ~larger)
    first = np.asarray(order_keys(ids, 1).to_numpy() < 2**63)
    assert abs(samples[2][first].mean() - 0.5) < 0.02
    with pytest.raises(ValueError, match="between 0 and 1"):
        chosen(ids, 1, 1.5)


# packing


@st.composite
def documents(draw: st.DrawFn) -> list[reference.Document]:
    lengths = draw(st.lists(st.one_of(st.integers(1, 5), st.integers(1, 60)), max_size=20))
    return [(f"d/{i}", [(i * 31 + k) % 65_536 for k in range(length)]) for i, length in enumerate(lengths)]


def batches(documents: list[reference.Document], cuts: list[int]) -> list[pa.RecordBatch]:
    bounds = sorted({0, len(documents), *(cut % (len(documents) + 1) for cut in cuts)})
    table = pa.table(
        {
            schema.ID: pa.array([name for name, _ in documents], pa.string()),
            schema.TOKENS: pa.array([tokens for _, tokens in documents], pa.list_(pa.uint16())),
        }
    ).combine_chunks()
    return [b for low, high in pairwise(bounds) for b in table.slice(low, high - low).to_batches()]


def rows_of(packed: list[pa.RecordBatch]) -> list[reference.Row]:
    return [tuple(row.values()) for batch in packed for row in batch.to_pylist()]


@given(documents(), st.integers(1, 50), st.lists(st.integers(0, 20), max_size=5), st.sampled_from([1, 16, 1 << 20]))
def test_packing_agrees_with_its_twin(
    documents: list[reference.Document], length: int, cuts: list[int], batch_tokens: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "BATCH_TOKENS", batch_tokens)
        packed = list(pack(batches(documents, cuts), length))
        whole = list(pack(batches(documents, []), length))
    assert rows_of(packed) == reference.pack(documents, length)
    assert packed == whole  # the same batches, cut at the same places
    assert all(batch.schema == schema.packed(pa.uint16()) for batch in packed)
    assert all(len(b) == max(1, batch_tokens // length) for b in packed[:-1])


@given(documents(), st.integers(1, 50))
def test_unpacking_undoes_packing(documents: list[reference.Document], length: int) -> None:
    shard = pa.Table.from_batches(pack(batches(documents, [7]), length), schema.packed(pa.uint16()))
    assert sum(map(len, shard.column(schema.TOKENS).to_pylist())) == sum(len(tokens) for _, tokens in documents)
    unpacked = unpack(shard)
    assert unpacked.column(schema.ID).to_pylist() == [name for name, _ in documents]
    assert unpacked.column(schema.TOKENS).to_pylist() == [tokens for _, tokens in documents]


def test_a_document_longer_than_a_batch_of_sequences() -> None:
    tokens = np.arange(3_000_001, dtype=np.uint32)
    batch = pa.record_batch(
        {schema.ID: ["long"], schema.TOKENS: pa.ListArray.from_arrays(pa.array([0, len(tokens)], pa.int32()), tokens)}
    )
    shard = pa.Table.from_batches(pack([batch], 2048))
    assert shard.num_rows == -(-len(tokens) // 2048)
    assert set(shard.column(schema.DOCUMENT_IDS).to_pylist()[700]) == {"long"}
    assert np.array_equal(unpack(shard).column(schema.TOKENS).combine_chunks().flatten().to_numpy(), tokens)


def test_packing_nothing_gives_nothing() -> None:
    assert list(pack([], 8)) == []
    assert list(pack(batches([], []), 8)) == []
    assert unpack(schema.packed(pa.uint16()).empty_table()).num_rows == 0


@pytest.mark.parametrize("tokens", [[], None])
def test_a_document_without_tokens_is_no_document(tokens: list[int] | None) -> None:
    batch = pa.record_batch({schema.ID: ["a", "b"], schema.TOKENS: pa.array([[1], tokens], pa.list_(pa.uint16()))})
    with pytest.raises(ValueError, match="1 documents have no tokens, such as b"):
        list(pack([batch], 4))


@pytest.mark.parametrize("kind", [pa.uint16(), pa.uint32()])
def test_a_digest_is_that_of_the_little_endian_bytes(kind: pa.DataType) -> None:
    rows = [[9], [1, 2, 65_535], None, []]
    column = pa.array(rows, pa.list_(kind))
    little = "<u2" if kind == pa.uint16() else "<u4"
    expected = [None if row is None else xxhash.xxh3_64_intdigest(np.array(row, little).tobytes()) for row in rows]
    assert tokens_digests(column).to_pylist() == expected
    assert tokens_digests(column.slice(1)).to_pylist() == expected[1:]
    assert tokens_digests(pa.chunked_array([column, column.slice(1, 1)])).to_pylist() == [*expected, expected[1]]
    assert tokens_digests(pa.chunked_array([], pa.list_(kind))).to_pylist() == []


# shards


@given(st.integers(1, 10_000))
def test_key_ranges_leave_no_gap(count: int) -> None:
    ranges = [key_range(i, count) for i in range(count)]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 2**64
    assert all(a[1] == b[0] for a, b in pairwise(ranges))
    widths = [high - low for low, high in ranges]
    assert max(widths) - min(widths) <= 1


def test_shards_are_counted_and_named() -> None:
    settings = TokenizeSettings(shard_tokens=100)
    assert [shard_count(n, settings) for n in (0, 1, 100, 101, 1000)] == [0, 1, 1, 2, 10]
    assert shard_names("train", 2) == ("train-00000-of-00002", "train-00001-of-00002")
    assert shard_names("train", 0) == ()


def test_an_index_without_shards_says_so(encoder: Encoder) -> None:
    empty = index([], encoder, TokenizeSettings(), 0)
    assert (empty["tokens"], empty["bytes_per_token"]) == (0, None)
    assert "no document was kept" in empty["note"]


# training


def found_words(text: str, pattern: int) -> list[str]:
    data, found, i = np.frombuffer(text.encode(), np.uint8), [], 0
    while i < len(data):
        end = word_end(data, i, len(data), character_classes(pattern), pattern)
        found.append(bytes(data[i:end]).decode())
        i = end
    return found


@given(HOSTILE, st.sampled_from([GPT2, GPT4]))
@example("  a   b\n\n c 'll it's'S 12345 !!?\n\n\n x\u00a0y \t\tz ", GPT4)
@example("  a   b\n\n c 'll it's'S 12345 !!?\n\n\n x\u00a0y \t\tz ", GPT2)
@example("a \r\n  \n\t b '", GPT4)
def test_the_loop_splits_words_as_the_pattern_does(text: str, pattern: int) -> None:
    assert found_words(text, pattern) == reference_words(text, pattern)


@pytest.mark.parametrize("pattern", [GPT2, GPT4])
def test_every_character_has_the_class_that_the_pattern_gives_it(pattern: int) -> None:
    points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    text = "".join(chr(point) + "a1\n"[point % 3] for point in points[:: 1 + len(points) // 60_000])
    assert found_words(text, pattern) == reference_words(text, pattern)


def test_a_trained_tokenizer_is_laid_out_as_documented() -> None:
    model = json.loads(trained(300))
    vocabulary = model["model"]["vocab"]
    assert len(vocabulary) == 300
    assert vocabulary[END] == 0
    assert sorted(vocabulary, key=vocabulary.__getitem__)[1:257] == sorted(pre_tokenizers.ByteLevel.alphabet())
    assert [token["content"] for token in model["added_tokens"]] == [END]
    assert len(json.loads(trained(30_000))["model"]["vocab"]) < 1000  # no pair occurs twice any more


def test_training_on_nothing_gives_the_bytes() -> None:
    encoder = Encoder(train_tokenizer([pa.array([None, ""], pa.large_string())], TokenizeSettings()), END)
    assert encoder.vocabulary_size == 257
    assert encoder.encode(pa.array(["é"]))[0].as_py() == [128, 103, 0]
    assert train_tokenizer([], TokenizeSettings()) == train_tokenizer([pa.array([], pa.string())], TokenizeSettings())


@pytest.mark.parametrize("word", ["end", " end", "###", "x", " \n "])
def test_an_end_of_text_that_could_be_a_word_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="could be a word"):
        trained(end_of_text=word)


# Texts full of pairs that occur equally often, and of runs, whose merges overlap.
TRAIN = """
import hashlib, random, sys
import pyarrow as pa
from gristmill.tokenize.settings import TokenizeSettings
from gristmill.tokenize.train import train_tokenizer

order, batch = int(sys.argv[1]), int(sys.argv[2])
draw = random.Random(5)
ties = ["".join(draw.choice("abcd") for _ in range(draw.randint(2, 9))) for _ in range(3000)]
texts = [" ".join(ties[i : i + 10]) + " été " * (i % 3) + "=" * (i % 40) for i in range(0, 3000, 5)]
texts += ["x" * i + " " + "xy" * i + "\\n" * (i % 300) for i in range(0, 900, 7)]
random.Random(order).shuffle(texts)
batches = [pa.array(texts[i : i + batch]) for i in range(0, len(texts), batch)]
print(hashlib.sha256(train_tokenizer(batches, TokenizeSettings(vocabulary=3000))).hexdigest())
"""


def test_training_gives_the_same_bytes_in_any_process_order_and_batch() -> None:
    def run(order: int, batch: int, threads: int, parallel: str) -> str:
        settings = {"RAYON_NUM_THREADS": str(threads), "TOKENIZERS_PARALLELISM": parallel, "PYTHONHASHSEED": str(order)}
        command = [sys.executable, "-c", TRAIN, str(order), str(batch)]
        return subprocess.run(command, env=os.environ | settings, check=True, capture_output=True, text=True).stdout

    found = [run(0, 900, 1, "true"), run(1, 1, 2, "true"), run(2, 77, 2, "true"), run(3, 300, 2, "false")]
    assert len(set(found)) == 1


def test_a_longer_text_is_trained_on_in_pieces_that_hold_the_same_words(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained()
    monkeypatch.setattr(words, "_SLICE_BYTES", 10)
    assert trained() == whole


def test_a_word_of_a_million_letters_is_trained_on_in_pieces() -> None:
    texts = pa.array(["x" * 1_000_000, "=" * 1_000_001])  # whole, either would take minutes
    vocabulary = json.loads(train_tokenizer([texts], TokenizeSettings()))["model"]["vocab"]
    assert {"x" * 256, "=" * 256} <= vocabulary.keys()
    assert max(len(token) for token in vocabulary) == 256


def test_of_pairs_equally_often_the_smallest_ids_are_merged_first() -> None:
    model = json.loads(train_tokenizer([pa.array(["dc", "ba", "ba", "dc", "ab", "ab", "fe"])], TokenizeSettings()))
    assert model["model"]["merges"] == [["a", "b"], ["b", "a"], ["d", "c"]]


# encoding


@given(st.lists(st.one_of(st.none(), HOSTILE), max_size=6))
def test_decoding_undoes_encoding(texts: list[str | None]) -> None:
    encoder = SMALL
    encoded = encoder.encode(pa.array(texts, pa.large_string()))
    assert encoded.type == pa.list_(pa.uint16())
    tokenizer = Tokenizer.from_str(SMALL_JSON.decode())
    for text, tokens in zip(texts, encoded.to_pylist(), strict=True):
        if text is None:
            assert tokens is None
        else:
            assert tokens[-1] == encoder.end_of_text_id
            assert encoder.end_of_text_id not in tokens[:-1]
            assert tokenizer.decode(tokens[:-1], skip_special_tokens=False) == text


SMALL_JSON = trained()
SMALL = Encoder(SMALL_JSON, END)


@pytest.fixture(scope="module", params=["GPT-4's pattern", "GPT-2's pattern", "another pattern"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    tokenizer = Tokenizer.from_str(SMALL_JSON.decode())
    if request.param == "GPT-2's pattern":
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    if request.param == "another pattern":
        tokenizer.normalizer = normalizers.NFC()
    return tokenizer


@given(texts=st.lists(HOSTILE, max_size=6), skip=st.integers(0, 3), size=st.integers(1, 60), most=st.integers(0, 60))
def test_tokens_are_those_of_the_tokenizer_alone(
    tokenizer: Tokenizer, texts: list[str], skip: int, size: int, most: int
) -> None:
    column = pa.array(["skipped", *texts, *PROSE])
    alone = Tokenizer.from_str(tokenizer.to_str())
    alone.encode_special_tokens = True
    expected = [[*alone.encode(text, add_special_tokens=False).ids, 0] for text in column.to_pylist()]
    encoder = Encoder(tokenizer.to_str().encode(), END)
    assert encoder.encode(column).to_pylist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(words, "_SLICE_BYTES", size)  # cut into pieces wherever it can be
        patch.setattr(lookup, "_MOST_WORDS", most)  # and forget words early
        assert encoder.encode(column).to_pylist() == expected
        chunked = pa.chunked_array([column.slice(0, skip), column.slice(skip)])
        assert encoder.encode(chunked).to_pylist() == expected
        assert encoder.encode(column.slice(skip)).to_pylist() == expected[skip:]


def test_words_are_looked_up_only_where_nothing_else_touches_the_text() -> None:
    def looked_up(change: str = "", value: object = None) -> bool:
        described = json.loads(SMALL_JSON)
        if change:
            described[change] = value
        return Encoder(json.dumps(described).encode(), END)._lookup is not None

    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True}
    assert looked_up()
    assert looked_up("pre_tokenizer", byte_level)
    assert not looked_up("pre_tokenizer", byte_level | {"add_prefix_space": True})
    assert not looked_up("pre_tokenizer", byte_level | {"use_regex": False})
    assert not looked_up("normalizer", {"type": "NFC"})
    token, size = json.loads(SMALL_JSON)["added_tokens"][0], SMALL.vocabulary_size
    assert looked_up("added_tokens", [token, token | {"id": size, "content": "<|x|>"}])
    assert not looked_up("added_tokens", [token, token | {"id": size, "content": "<|x|>", "special": False}])


def test_long_rows_are_cut_between_words_and_come_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_SLICE_BYTES", 10)
    texts = ["ab", "cd", "", "one two  three\n four é в र 1 five", "x" * 30, "end"]
    data, offsets = np.frombuffer("".join(texts).encode(), np.uint8), np.cumsum([0, *(len(t.encode()) for t in texts)])

    def slices(divisible: bool) -> list[tuple[int, list[str]]]:
        found = text_slices(data, offsets, divisible)
        return [(row, [bytes(data[a:b]).decode() for a, b in pairwise(cuts.tolist())]) for row, cuts in found]

    assert slices(False) == [(0, texts[:3]), (3, texts[3:4]), (4, texts[4:5]), (5, texts[5:])]
    pieces = [(3, ["one two  three\n four"]), (3, [" é в र 1"]), (3, [" five"])]
    assert slices(True) == [(0, texts[:3]), *pieces, (4, texts[4:5]), (5, texts[5:])]
    assert list(text_slices(data, offsets[:1], True)) == []


def with_tokens(*tokens: AddedToken, model: models.Model | None = None) -> Tokenizer:
    tokenizer = Tokenizer(model or models.BPE({"a": 0, "b": 1, " ": 2, "a b": 3, "a ": 4}, [("a", " "), ("a ", "b")]))
    tokenizer.add_tokens(list(tokens))
    return tokenizer


def test_a_tokenizer_whose_tokens_hold_spaces_is_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = with_tokens(AddedToken("<e>", special=True))
    encoder = Encoder(tokenizer.to_str().encode(), "<e>")
    monkeypatch.setattr(words, "_SLICE_BYTES", 1)
    assert not encoder._divisible
    assert encoder.encode(pa.array(["a b a b"])).to_pylist() == [[3, 2, 3, 5]]


def test_a_tokenizer_that_marks_the_start_is_never_cut() -> None:
    tokenizer = with_tokens(AddedToken("<e>", special=True), model=models.BPE({"a": 0, "b": 1, "▁": 2}, []))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    assert not Encoder(tokenizer.to_str().encode(), "<e>")._divisible


@pytest.mark.parametrize("special", [True, False])
def test_special_tokens_in_a_page_are_text(special: bool) -> None:
    tokenizer = Tokenizer.from_str(SMALL_JSON.decode())
    tokenizer.add_special_tokens(["<|system|>"])
    tokenizer.add_tokens([AddedToken("<|stop|>", special=special, normalized=False)])
    tokenizer.add_tokens([AddedToken("    ", special=False, normalized=False)])
    encoder = Encoder(tokenizer.to_str().encode(), "<|stop|>")
    text = f"<|stop|>x<|system|> {END}    <|stop|>"
    tokens = encoder.encode(pa.array([text]))[0].as_py()
    assert tokens[-1] == encoder.end_of_text_id
    specials = {tokenizer.token_to_id(name) for name in ("<|stop|>", "<|system|>", END)}
    assert not specials & set(tokens[:-1])
    assert tokenizer.token_to_id("    ") in tokens  # not special: part of the vocabulary
    assert tokenizer.decode(tokens[:-1], skip_special_tokens=False) == text


def test_what_is_meant_for_models_is_switched_off() -> None:
    tokenizer = Tokenizer.from_str(SMALL_JSON.decode())
    expected = SMALL.encode(pa.array(PROSE)).to_pylist()
    tokenizer.enable_truncation(3)
    tokenizer.enable_padding(length=500)
    changed = json.loads(tokenizer.to_str())
    changed["model"]["dropout"] = 0.9
    found = Encoder(json.dumps(changed).encode(), END).encode(pa.array(PROSE))
    assert found.to_pylist() == expected


def test_a_tokenizer_that_takes_special_tokens_from_text_is_refused() -> None:
    unigram = models.Unigram([("<unk>", 0.0), ("</s>", 0.0), *((c, -2.0) for c in "ab </s>")], unk_id=0)
    tokenizer = with_tokens(AddedToken("</s>", special=True), model=unigram)
    with pytest.raises(UsageError, match=r"takes 1 special tokens from plain text, such as '</s>'"):
        Encoder(tokenizer.to_str().encode(), "</s>")


def test_a_tokenizer_without_the_token_names_those_it_has() -> None:
    with pytest.raises(UsageError, match=r"no token '</s>'.*'<\|endoftext\|>'"):
        Encoder(SMALL_JSON, "</s>")
    with pytest.raises(UsageError, match="it has no special token"):
        Encoder(with_tokens().to_str().encode(), "</s>")


@pytest.mark.parametrize(("largest", "kind"), [(65_535, pa.uint16()), (65_536, pa.uint32())])
def test_the_largest_id_decides_the_type(largest: int, kind: pa.DataType) -> None:
    vocabulary = {"a": 0, "z": largest, "<e>": 1}
    tokenizer = with_tokens(model=models.WordLevel(vocabulary, unk_token="a"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    encoder = Encoder(tokenizer.to_str().encode(), "<e>")
    assert (encoder.token_type, encoder.vocabulary_size) == (kind, largest + 1)
    encoded = encoder.encode(pa.array(["z a", None, "z"]))
    assert encoded.type == pa.list_(kind)
    assert encoded.to_pylist() == [[largest, 0, 1], None, [largest, 1]]


def test_an_empty_column_has_its_type(encoder: Encoder) -> None:
    for kind in (pa.string(), pa.large_string()):
        assert encoder.encode(pa.array([], kind)).type == pa.list_(pa.uint16())
    assert encoder.encode(pa.array([None, ""], pa.string())).to_pylist() == [None, [0]]


def test_a_tokenizer_is_loaded_from_a_path_or_a_url(tmp_path: Path) -> None:
    plain, packed = tmp_path / "tokenizer.json", tmp_path / "tokenizer.json.gz"
    plain.write_bytes(SMALL_JSON)
    packed.write_bytes(gzip.compress(SMALL_JSON))
    for path in (str(plain), str(packed), f"file://{packed}"):
        assert load_tokenizer(path) == SMALL_JSON
    assert Encoder(SMALL_JSON, END).digest == hashlib.sha256(SMALL_JSON).hexdigest()
    assert set(versions()) == {"encode", "pack", "train", "tokenizers"}


def test_a_tokenizer_that_is_not_there_says_what_to_do(tmp_path: Path) -> None:
    for path in ("gpt2", f"file://{tmp_path}/none.json", "nowhere://x/tokenizer.json"):
        with pytest.raises(MissingError, match=r"give the path or URL of a tokenizer\.json"):
            load_tokenizer(path)
    broken = tmp_path / "tokenizer.json"
    for content in (b"", b"{}", b"\xff\xfe", b"not json"):
        broken.write_bytes(content)
        with pytest.raises(UsageError, match=r"is not a tokenizer\.json"):
            load_tokenizer(str(broken))
    broken.write_bytes(gzip.compress(SMALL_JSON)[:-20])
    with pytest.raises(MissingError, match="no tokenizer at"):
        load_tokenizer(str(broken))


# reading


@pytest.fixture
def tokens_folder(tmp_path: Path, encoder: Encoder) -> Path:
    encoded = encoder.encode(pa.array(PROSE * 4))
    ids = pa.array([f"d/{i}" for i in range(len(encoded))])
    facts = []
    for name, low, high in zip(shard_names("train", 2), (0, 11), (11, 20), strict=True):
        documents = pa.record_batch({schema.ID: ids[low:high], schema.TOKENS: encoded[low:high]})
        table = pa.Table.from_batches(pack([documents], 32))
        path = tmp_path / f"{name}.parquet"
        pq.write_table(table, path, row_group_size=7)
        tokens = len(table.column(schema.TOKENS).combine_chunks().flatten())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        facts.append(ShardFacts(path.name, table.num_rows, tokens, high - low, path.stat().st_size, digest))
    (tmp_path / "tokenizer.json").write_bytes(SMALL_JSON)
    settings = TokenizeSettings(sequence_length=32)
    size = sum(len(text.encode()) for text in PROSE) * 4
    (tmp_path / "index.json").write_text(json.dumps(index(facts, encoder, settings, size)))
    return tmp_path


def test_shards_are_read_as_arrays(tokens_folder: Path, encoder: Encoder) -> None:
    shards = TokenShards(tokens_folder)
    shards.verify()
    sequences = list(shards.sequences())
    assert len(sequences) == len(shards)
    flat = np.concatenate([sequence.tokens for sequence in sequences])
    assert flat.dtype == shards.token_type == np.uint16
    assert np.array_equal(flat, encoder.encode(pa.array(PROSE * 4)).flatten().to_numpy())
    assert (shards.sequence_length, shards.vocabulary_size) == (32, encoder.vocabulary_size)
    assert int((flat == shards.end_of_text_id).sum()) == shards.index["documents"] == 20
    assert shards.index["bytes_per_token"] == pytest.approx(shards.index["text_bytes"] / len(flat), abs=1e-4)
    assert set(shards.index["columns"]) == {schema.TOKENS, schema.DOCUMENT_IDS, schema.DOCUMENT_LENGTHS}
    for sequence in sequences:
        assert sequence.document_lengths.sum() == len(sequence.tokens) <= 32
        assert len(sequence.document_ids) == len(sequence.document_lengths)
    assert list(dict.fromkeys(name for s in sequences for name in s.document_ids)) == [f"d/{i}" for i in range(20)]


def test_an_altered_shard_is_found(tokens_folder: Path) -> None:
    first, second = shard_names("train", 2)
    data = bytearray((tokens_folder / f"{second}.parquet").read_bytes())
    data[10] ^= 1
    (tokens_folder / f"{second}.parquet").write_bytes(data)
    (tokens_folder / "tokenizer.json").unlink()
    with pytest.raises(CorruptError, match=rf"2 of 3 files .*{second}\.parquet, tokenizer\.json"):
        TokenShards(f"file://{tokens_folder}").verify()
    (tokens_folder / f"{second}.parquet").write_bytes((tokens_folder / f"{first}.parquet").read_bytes())
    with pytest.raises(CorruptError, match=r"sequences, but index\.json says"):
        list(TokenShards(tokens_folder).sequences())
    (tokens_folder / f"{second}.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorruptError, match="not a readable Parquet file"):
        list(TokenShards(tokens_folder).sequences())
    (tokens_folder / f"{second}.parquet").unlink()
    with pytest.raises(MissingError, match="does not exist"):
        list(TokenShards(tokens_folder).sequences())


@pytest.mark.parametrize(("content", "words"), [("{", "not readable"), ("[]", "format None"), ('{"format": 99}', "99")])
def test_an_index_that_cannot_be_read_is_an_error(tmp_path: Path, content: str, words: str) -> None:
    with pytest.raises(MissingError, match=r"no index\.json"):
        TokenShards(tmp_path)
    (tmp_path / "index.json").write_text(content)
    with pytest.raises(CorruptError, match=words):
        TokenShards(tmp_path)


# real data


def lines_of(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().split("\n")


@pytest.mark.data
@pytest.mark.parametrize("name", ["gpt2", "olmo_gpt-neox_v1.5"])
def test_real_tokenizers_give_their_own_ids(data: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = load_tokenizer(str(data / "tokenizers" / name / "tokenizer.json.gz"))
    encoder, theirs = Encoder(raw, END), Tokenizer.from_str(raw.decode())
    assert encoder._divisible
    assert (encoder._lookup is None) == (name != "gpt2")
    lines = lines_of(data / "text" / "noisy_web_fullpage.jsonl.gz")[:120]
    texts = [json.loads(line)["text"].replace(END, "") for line in lines if line]
    texts.append("\n".join(texts))
    monkeypatch.setattr(words, "_SLICE_BYTES", 5_000)
    for text, tokens in zip(texts, encoder.encode(pa.array(texts)).to_pylist(), strict=True):
        assert tokens == [*theirs.encode(text, add_special_tokens=False).ids, encoder.end_of_text_id]
    hostile = encoder.encode(pa.array([f"a {END} b"]))[0].as_py()
    assert encoder.end_of_text_id not in hostile[:-1]
    assert theirs.decode(hostile[:-1], skip_special_tokens=False) == f"a {END} b"
