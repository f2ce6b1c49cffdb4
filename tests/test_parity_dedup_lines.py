"""datatrove's SentenceDedup, run on the same real texts: the same lines and the same sentences stay.

Its documents come in the order of their dates here, which is the order in which it reads them. Differences, all of them
meant: it lets blank lines stand that a cut line leaves, where here one separation goes with what is cut; it finds
sentences across line breaks, and a break goes with the sentence after it; its lines are those of ``str.splitlines``;
it drops a document whose text it has changed to fewer than 50 words or 3 sentences, which are rules here.
"""

from __future__ import annotations

import random
from functools import cache

import pytest
from corpora import Document, carry_out, make_run
from datatrove.data import Document as Theirs
from datatrove.pipeline.dedup.sentence_dedup import (
    SentDedupConfig,
    SentenceDedupFilter,
    SentenceDedupSignature,
    SentenceFindDedups,
)
from datatrove.utils.hashing import HashConfig
from datatrove.utils.text import TextNormConfig, split_into_sentences
from real_texts import real_texts
from test_dedup_lines_stage import left

pytestmark = pytest.mark.data

AS_WRITTEN = TextNormConfig(
    lowercase=False, norm_whitespace=False, remove_punctuation=False, norm_unicode_diacritics=False, norm_numbers=False
)


HASH = HashConfig(hash_fc="sha1")  # its xxhash, the default, fails on text with xxhash 4


def theirs(folder, texts, config):
    """What datatrove leaves of texts, in order; the empty text for one that it drops."""
    documents = [Theirs(text, str(i)) for i, text in enumerate(texts)]
    SentenceDedupSignature(str(folder / "sigs"), config=config).run(documents)
    SentenceFindDedups(str(folder / "sigs"), str(folder / "dups"), config=config).run()
    found = SentenceDedupFilter(str(folder / "dups"), config=config).run(documents)
    kept = {int(document.id): document.text for document in found}
    return [kept.get(i, "") for i in range(len(texts))]


def ours(folder, texts, kind):
    """What a stage leaves of texts, in order."""
    documents = [Document(f"{i:04}", text, day=i) for i, text in enumerate(texts)]
    shards = {"a": documents[::2], "b": documents[1::2]}
    run = carry_out(make_run(folder, shards, f"  - dedup: {{{kind}}}\n  - signals: {{families: [c4]}}\n"))
    return [text for _, text in sorted(left(run).items())]


def planted(texts, split, seed):
    """Texts, into each third of which two to five pieces in a row of another are put."""
    chance = random.Random(seed)
    found = []
    for text in texts:
        pieces, other = split(text), split(chance.choice(texts))
        if chance.random() < 1 / 3 and other:
            start = chance.randrange(len(other))
            at = chance.randrange(len(pieces) + 1)
            pieces[at:at] = other[start : start + chance.randint(2, 5)]
        found.append("\n".join(pieces))
    return found


@cache
def sample(data):
    texts = [text for text in real_texts(data, 4_000) if text.isascii() and text.split("\n") == text.splitlines()]
    return random.Random(1).sample(texts, 250)


def test_lines_that_stay_are_datatroves(tmp_path, data):
    texts = planted(sample(data), str.splitlines, 2)
    config = SentDedupConfig(
        n_sentences=1,
        split_sentences=False,
        min_doc_words=0,
        min_num_sentences=0,
        norm_config=AS_WRITTEN,
        hash_config=HASH,
    )
    expected = theirs(tmp_path, texts, config)
    found = ours(tmp_path, texts, "lines: {equal: text}")
    assert [lines(text) for text in found] == [lines(text) for text in expected]
    assert sum(lines(one) != lines(other) for one, other in zip(found, texts, strict=True)) > 50


def lines(text):
    return [line.strip() for line in text.split("\n") if line.strip()]


def ends_with_its_lines(text):
    """Whether each line of a text ends a sentence to spaCy."""
    return len(split_into_sentences(text)) == sum(len(split_into_sentences(line)) for line in lines(text))


def test_three_sentences_that_stay_are_datatroves(tmp_path, data):
    ended = ("\n".join(line for line in text.split("\n") if line.endswith((".", "!", "?"))) for text in sample(data))
    texts = [text for text in ended if text and ends_with_its_lines(text)]
    texts = [text for text in planted(texts, str.splitlines, 3) if ends_with_its_lines(text)]
    config = SentDedupConfig(
        n_sentences=3, min_doc_words=0, min_num_sentences=0, norm_config=AS_WRITTEN, hash_config=HASH
    )
    expected = theirs(tmp_path, texts, config)
    found = ours(tmp_path, texts, "lines: {meaning: c4, words: spacy}")
    assert [text.split() for text in found] == [text.split() for text in expected]
    assert sum(one.split() != other.split() for one, other in zip(found, texts, strict=True)) > 10
