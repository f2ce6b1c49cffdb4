"""Texts as n-gram models take them: CCNet's form against its rules, pieces, and what a trained model tells of it."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
import reference_perplexity_scores as reference
from commands import inside
from hypothesis import example, given, settings
from hypothesis import strategies as st
from real_texts import fewer_texts, real_texts
from strategies import texts

from gristmill.classifiers.models import FoundModel, find_model
from gristmill.classifiers.perplexity import normal, pieces
from gristmill.classifiers.perplexity.form import Form, training_blocks, word_counts
from gristmill.classifiers.perplexity.pieces import Pieces, find_pieces
from gristmill.classifiers.perplexity.trained_form import form_of, read_trained_form
from gristmill.errors import CorruptError, MissingError, StaleError, UsageError

ROWS = st.lists(texts(), max_size=6)
MILL = ["The mill by the river grinds grain.", "Die Mühle mahlt Korn, 12 Säcke am Tag.", "Le moulin moud le grain."]


@settings(max_examples=150)
@given(ROWS)
@example([" \n a\n", "\x1f\u3000Ⅷ１１\u0308 x\u2028"])
@example(["ΑΣ", "Σ", "ΑΣ…Α", "İ"])
def test_the_form_of_a_text_is_ccnets(rows):
    assert normal.ccnet(rows) == [reference.ccnet(text) for text in rows]
    lines = [line for text in rows for line in text.split("\n")]
    assert normal.by_line(lines) == [reference.by_line(line) for line in lines]


@pytest.mark.data
def test_the_form_of_real_texts_is_ccnets(data):
    rows = fewer_texts(real_texts(data, 2_000))[::6]
    assert len(rows) > 500
    assert normal.ccnet(rows) == [reference.ccnet(text) for text in rows]


def test_ccnets_table_is_whole():
    shown = {before: after for before, after in reference.TABLE.items() if before != "１"}
    assert dict(normal.PUNCTUATION) == shown


def test_what_the_two_quirks_do():
    assert normal.ccnet(["the mill\nby the river", "한국", "हिन्दी", "がッ"]) == [
        "the millby the river",
        "\u1112\u1161\u11ab\u1100\u116e\u11a8",
        "हिनदी",
        "かッ",
    ]
    assert normal.by_line(["the mill", "Crème “brûlée” № 12…", "한국", "हिन्दी", "がッ"]) == [
        "the mill",
        'creme "brulee" № 00...',
        "한국",
        "हिन्दी",
        "がッ",
    ]
    assert normal.ccnet([]) == normal.by_line([]) == []


@settings(max_examples=150)
@given(ROWS, st.sampled_from(["ccnet", "ccnet_by_line", "none"]))
@example(["a <s> b\n</s>\n<unk>x <s>", "", "a\0b\rc\n\n"], "none")
def test_sentences_are_lines_but_for_ccnet_whose_texts_are(rows, normalize):
    found = Form(normalize).sentences(rows)
    forms = {"ccnet": reference.ccnet, "ccnet_by_line": reference.by_line, "none": str}
    parts = [[text] if normalize == "ccnet" else text.split("\n") for text in rows]
    expected = [reference.words_of(forms[normalize](part)) for text in parts for part in text]
    assert [re.findall(rb"[^\t\r ]+", line) for line in found.lines] == expected
    assert found.lengths.tolist() == [len(words) for words in expected]
    assert found.texts.tolist() == [number for number, text in enumerate(parts) for _ in text]


@given(st.binary(max_size=40))
def test_words_are_counted_by_line(data):
    lines = (data + b"\n").split(b"\n")[:-1]
    expected = [len([w for w in re.split(rb"[\x00\t\r ]+", line) if w]) for line in lines]
    assert word_counts(np.frombuffer(data + b"\n", np.uint8)).tolist() == expected


@pytest.fixture(scope="module")
def vocabularies(tmp_path_factory):
    """A folder with a SentencePiece model and a tokenizer.json, that asks for dropout and for truncation."""
    folder = tmp_path_factory.mktemp("pieces")
    import sentencepiece as spm

    made = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(MILL * 20), model_writer=made, vocab_size=40, minloglevel=2, num_threads=1
    )
    (folder / "mill.sp.model").write_bytes(made.getvalue())
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(
        MILL,
        trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=["<s>", "</s>"],
            show_progress=False,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        ),
    )
    tokenizer.enable_truncation(2)
    made = json.loads(tokenizer.to_str())
    made["model"]["dropout"] = 0.5
    (folder / "tokenizer.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


def test_pieces_are_sentencepieces_own(vocabularies):
    from sentencepiece import SentencePieceProcessor

    path = str(vocabularies / "mill.sp.model")
    own = SentencePieceProcessor(model_file=path)
    lines = [*MILL, "", "the <s> mill", "Mühle 水車 🙂"]
    assert find_pieces(path).split(lines) == [" ".join(own.encode(line, out_type=str)) for line in lines]
    found = Form("ccnet", find_pieces(path)).sentences(["The mill\nGRINDS", "", "\n"])
    assert found.lines == [" ".join(own.encode("the millgrinds", out_type=str)).encode(), b"", b""]


def test_pieces_of_a_tokenizer_json_are_all_of_them_and_never_special(vocabularies):
    pieces = find_pieces(str(vocabularies / "tokenizer.json"))
    lines = [*MILL, "", "the <s> mill </s>"]
    split = pieces.split(lines)
    assert ["".join(line.split(" ")) for line in split] == [
        line.replace(" ", "Ġ").replace("ü", "Ã¼").replace("ä", "Ã¤") for line in lines
    ]
    assert "<s>" not in split[-1].split(" ")
    assert pieces.split(lines) == split


@pytest.mark.parametrize("name", ["mill.sp.model", "tokenizer.json"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_a_vocabulary_cut_short_is_said_to_be(vocabularies, tmp_path, name, share):
    whole = (vocabularies / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CorruptError, match=re.escape(name)):
        find_pieces(str(tmp_path / name)).check()


@pytest.mark.parametrize("name", ["mill.sp.model", "tokenizer.json"])
def test_a_vocabulary_that_changed_is_not_taken(vocabularies, name):
    with pytest.raises(StaleError, match="plan the run again"):
        Pieces(FoundModel(vocabularies / name, "0" * 64)).check()


def test_blocks_for_training_are_sentences_with_words():
    import pyarrow as pa

    made = training_blocks([pa.array(["Two words\n\nÉté 1", "", "\n"], pa.large_string())] * 2, Form("ccnet_by_line"))
    assert list(made) == [b"two words\nete 0\n"] * 2


@pytest.fixture(scope="module")
def trained(vocabularies):
    """The folder, with a model in CCNet's form and of pieces, and what tells of it."""
    (vocabularies / "mill.txt").write_text("\n".join(MILL * 3), encoding="utf-8")
    inside("train", "perplexity", "mill.txt", "-o", "mill.bin", "--order", 3, "--normalize", "ccnet",
           "--pieces", "mill.sp.model", cwd=vocabularies)  # fmt: skip
    return vocabularies


def test_a_trained_model_tells_its_form(trained, tmp_path):
    told = json.loads((trained / "mill.bin.json").read_text())
    model = find_model(str(trained / "mill.bin"))
    vocabulary = find_model(str(trained / "mill.sp.model"))
    assert (told["model_sha256"], told["normalize"]) == (model.digest, "ccnet")
    assert (told["pieces"], told["pieces_file"]) == (vocabulary.digest, "mill.sp.model")
    where = str(trained / "mill.bin")
    form = Form("ccnet", find_pieces(str(vocabulary.path)))
    assert form_of(where, model, None, None) == form_of(where, model, "ccnet", str(vocabulary.path)) == form
    with pytest.raises(UsageError, match=r"trained with normalize: ccnet.*mill\.bin\.json.*says none"):
        form_of(where, model, "none", None)
    with pytest.raises(UsageError, match=r"trained with the pieces of mill\.sp\.model .*words is another"):
        form_of(where, model, None, "words")
    lonely = tmp_path / "mill.bin"
    lonely.write_bytes((trained / "mill.bin").read_bytes())
    with pytest.raises(UsageError, match=r"there is no \S+mill\.bin\.json.*write `normalize:` and `pieces:`"):
        form_of(str(lonely), find_model(str(lonely)), "ccnet", None)
    assert form_of(str(lonely), find_model(str(lonely)), "none", "words") == Form()


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        ("{", CorruptError, "does not tell how"),
        ("[]", CorruptError, "does not tell how"),
        ({"normalize": "lower"}, CorruptError, "no normalization 'lower'"),
        ({"model_sha256": "0" * 64}, UsageError, "another model"),
        ({"pieces_file": "../../etc/passwd"}, UsageError, "write `pieces:`"),
    ],
)
def test_what_tells_of_a_form_is_checked(trained, tmp_path, said, error, message):
    for name in ("mill.bin", "mill.bin.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    told = json.loads((tmp_path / "mill.bin.json").read_text())
    text = said if isinstance(said, str) else json.dumps(told | said)
    (tmp_path / "mill.bin.json").write_text(text)
    where = str(tmp_path / "mill.bin")
    with pytest.raises(error, match=message):
        form_of(where, find_model(where), None, None)


def test_a_url_has_its_form_beside_it(trained):
    where = f"file://{trained}/mill.bin"
    told = read_trained_form(where, find_model(where))
    assert (told.path, told.normalize) == (f"{where}.json", "ccnet")
    assert form_of(where, find_model(where), None, None).pieces.file.path.name == "mill.sp.model"


def test_what_cannot_be_trained_with_is_said(trained):
    for options, message in {
        ("--normalize", "lower"): "there is no normalization 'lower'; there are: ccnet, ccnet_by_line, none",
        ("--pieces", "none.model"): "none.model",
        ("--pieces", "mill.txt"): "mill.txt is not a SentencePiece model, or is cut short",
    }.items():
        done = inside("train", "perplexity", "mill.txt", "-o", "x.bin", *options, cwd=trained, check=False)
        assert done.returncode in (1, 2)
        assert message in " ".join(done.stderr.split())
        assert not (trained / "x.bin").exists()
    with pytest.raises(MissingError):
        find_pieces("nowhere.model")


def test_without_sentencepiece_it_says_how_to_install_it(vocabularies, tmp_path, monkeypatch):
    (tmp_path / "other.model").write_bytes((vocabularies / "mill.sp.model").read_bytes())
    monkeypatch.setattr(pieces, "find_spec", lambda _: None)
    with pytest.raises(MissingError, match=r"other.model is a vocabulary .* pip install 'gristmill\[sentencepiece\]'"):
        find_pieces(str(tmp_path / "other.model")).check()
