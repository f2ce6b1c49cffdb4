"""Slow twins of perplexity: CCNet's form character by character, probabilities by the definition of back-off."""

from __future__ import annotations

import math
import re
import unicodedata

from reference_perplexity import BEGIN, END, UNKNOWN

# cc_net's table as its text_normalizer.py has it, the full-width 1 too
TABLE = {"—": " - ", "．": ". ", "…": "...", "１": '"', "´": "'", "’": "'", "–": "-", "━": "-", "►": "-", "～": "~"}
TABLE |= dict(zip("，。、∶：？！（）；〈〉【】％", ",.,::?!();<>[]%", strict=True)) | dict.fromkeys(
    "„”“«»」「《》", '"'
)
MARKS = "".join(map(chr, [*range(0x300, 0x370), *range(0x1AB0, 0x1B00), *range(0x1DC0, 0x1E00)]))
MARKS += "".join(map(chr, [*range(0x20D0, 0x2100), *range(0xFE20, 0xFE30)]))


def ccnet(text):
    return form(text, lambda c: unicodedata.category(c) == "Mn")


def by_line(line):
    return unicodedata.normalize("NFC", form(line, lambda c: c in MARKS))


def form(text, is_accent):
    text = text.strip().lower()
    text = "".join(c for c in unicodedata.normalize("NFD", text) if not is_accent(c))
    text = re.sub(r"\d", "0", text)
    text = "".join(TABLE.get(c, c) for c in text)
    return "".join(c for c in text if not (ord(c) < 32 or 127 <= ord(c) < 160))


def words_of(line):
    """Return the words of a sentence, bytes, as KenLM parts them, without those that are no words."""
    return [w for w in re.split(rb"[\x00\t\n\v\f\r ]+", line.encode()) if w and w not in (BEGIN, END, UNKNOWN)]


def log10_of(words, model):
    """Return log10 p(words </s> | <s>) by a model {n-gram: (probability, back-off weight)}."""
    order = max(map(len, model))
    known = [w if (w,) in model else UNKNOWN for w in words]
    said = [BEGIN, *known, END]
    return sum(conditional(tuple(said[max(0, i - order + 1) : i]), said[i], model) for i in range(1, len(said)))


def conditional(context, word, model):
    if (*context, word) in model:
        return math.log10(model[(*context, word)][0])
    backoff = model[context][1] if context in model else None
    return (math.log10(backoff) if backoff else 0.0) + conditional(context[1:], word, model)


def perplexity(sentences, model):
    """Return the perplexity of sentences of words; None if there is no word."""
    sentences = [words for words in sentences if words]
    tokens = sum(len(words) + 1 for words in sentences)
    return 10 ** (-sum(log10_of(words, model) for words in sentences) / tokens) if tokens else None
