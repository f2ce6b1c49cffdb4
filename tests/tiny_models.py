"""Small fastText models of three languages: every kind that fastText can train, with labels like GlotLID's."""

from __future__ import annotations

from dataclasses import dataclass

import fasttext

LINES = {
    "eng_Latn": "the mill by the river has ground the grain of the village for three hundred years and more",
    "deu_Latn": "die Mühle am Fluss mahlt seit dreihundert Jahren das Getreide des Dorfes und noch mehr davon",
    "rus_Cyrl": "мельница у реки уже триста лет мелет зерно для всей деревни и для многих соседних деревень",
}


@dataclass(frozen=True)
class Kind:
    """What a model is trained and quantized with; ``quantize`` is None for one that is not quantized."""

    loss: str = "softmax"
    words: int = 1
    grams: tuple[int, int] = (2, 4)
    dim: int = 16
    quantize: tuple[tuple[str, object], ...] | None = None
    labels: tuple[str, ...] = tuple(LINES)


KINDS = {
    "hs": Kind("hs"),
    "softmax": Kind(dim=7, grams=(1, 3)),
    "ova": Kind("ova", grams=(0, 0), words=3),
    "ns": Kind("ns", words=2),
    "words alone": Kind(grams=(0, 0), dim=10),
    "quantized": Kind("hs", quantize=()),
    "pruned": Kind("hs", quantize=(("cutoff", 300), ("qnorm", True))),
    "wholly quantized": Kind(words=2, dim=6, quantize=(("qout", True), ("qnorm", True), ("cutoff", 400), ("dsub", 4))),
    "few rows": Kind(grams=(0, 0), words=2, quantize=(("cutoff", 260),)),
}


def train(folder, kind=KINDS["hs"]):
    """Return the path of a model of a kind, trained in a folder; its weights differ a little each time."""
    text = folder / "train.txt"
    rows = []
    for label, line in zip(kind.labels, LINES.values(), strict=True):
        words = line.split()
        rows += [f"__label__{label} {' '.join(words[i % 5 :: 1 + i % 3])} w{i}" for i in range(60)]
    if kind.quantize and dict(kind.quantize).get("qout"):  # fastText quantizes no matrix of fewer than 256 rows
        rows += [f"__label__q{i:03} only{i}" for i in range(260)]
    text.write_text("\n".join(rows) + "\n", "utf-8")
    # With one thread fasttext-numpy2 0.10.4 gives values to the first tenth of its matrix only, and takes the rest of
    # the memory as it was. With ten it gives values to all of it, if ten divides the number of values.
    words = len({word for row in rows for word in row.split()[1:]}) + 1
    model = fasttext.train_supervised(
        str(text), loss=kind.loss, wordNgrams=kind.words, minn=kind.grams[0], maxn=kind.grams[1], dim=kind.dim,
        bucket=3000 - words, minCount=1, epoch=20, lr=0.5, thread=10, verbose=0,
    )  # fmt: skip
    if kind.quantize is not None:
        model.quantize(str(text), thread=1, verbose=0, **dict(kind.quantize))
    path = folder / ("model.bin" if kind.quantize is None else "model.ftz")
    model.save_model(str(path))
    return path
