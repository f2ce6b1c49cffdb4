"""Edits against datatrove's filter and formatters, on the same texts, in one run; and applying against copying.

    python benchmarks/edits.py [--text FILE] [--documents 300] [--rounds 5]

FILE as in benchmarks/signals.py. One core, CPU seconds, the median of the rounds. datatrove's C4 filter counts
sentences with nupunkt here: spaCy's sentencizer, which it uses by itself, takes longer. Nothing is
timed before both have come to the same text, but where datatrove joins words or takes versions for addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from unittest import mock

import nupunkt
import pyarrow as pa
from datatrove.data import Document
from datatrove.pipeline.filters import c4_filters
from datatrove.pipeline.formatters import FTFYFormatter, PIIFormatter, SymbolLinesFormatter
from signals import arguments, medians, read_texts

from gristmill.filters.edits import catalogue
from gristmill.filters.edits.settings import EDIT_SETTINGS, EditSettings
from gristmill.filters.edits.spans import apply_edits

Way = Callable[[], object]
_DIFFER = 0.02


def main() -> None:
    """Check that the texts are equal, time each way in turn, and print a table."""
    options = arguments(__doc__)
    name, texts = read_texts(options.text, options.documents)
    batch = pa.array(texts, pa.large_string())
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{name}: {len(texts)} documents, {megabytes:.2f} MB, {options.rounds} rounds, one core")
    with mock.patch.object(c4_filters, "split_into_sentences", _sentences):
        peers = _peers(texts)
        _check(peers, texts, batch)
        seconds = medians(_ours(batch) | {f"datatrove {name}": way for name, way in peers.items()}, options.rounds)
    print(f"{'':38}{'documents/s':>12}{'MB/s':>9}{'×':>8}")
    for way, median in seconds.items():
        peer = seconds.get(f"datatrove {way}")
        factor = f"{peer / median:8.1f}" if peer else ""
        print(f"{way:38}{len(texts) / median:12,.0f}{megabytes / median:9.2f}{factor}")


def _ours(batch: pa.Array) -> dict[str, Way]:
    edits = {name: EditSettings.model_validate({name: {}}) for name in EDIT_SETTINGS}
    made = catalogue.make(batch, edits["c4_lines"]).edits
    ways: dict[str, Way] = {name: lambda edit=edit: catalogue.annotate(batch, edit) for name, edit in edits.items()}
    return ways | {
        "apply the edits of c4_lines": lambda: apply_edits(batch, made),
        "copy the text": lambda: pa.py_buffer(bytes(batch.buffers()[2])),
    }


def _peers(texts: list[str]) -> dict[str, Callable[[], list[str]]]:
    formatters = {
        "pii": PIIFormatter(email_replacement="email@example.com", ip_replacement="22.214.171.124"),
        "unicode": FTFYFormatter(),
        "symbol_lines": SymbolLinesFormatter(),
    }

    def c4() -> list[str]:
        documents = [Document(text=text, id="0") for text in texts]
        return [d.text if c4_filters.C4QualityFilter().filter(d) is True else "" for d in documents]

    return {"c4_lines": c4} | {
        name: lambda formatter=formatter: [formatter.format(text) for text in texts]
        for name, formatter in formatters.items()
    }


def _check(peers: dict[str, Callable[[], list[str]]], texts: list[str], batch: pa.Array) -> None:
    """Raise SystemExit if more texts than the known differences explain come out otherwise."""
    for name, peer in peers.items():
        ours = catalogue.make(batch, EditSettings.model_validate({name: {}})).texts.to_pylist()
        wrong = sum(a not in (b, "") for a, b in zip(peer(), ours, strict=True))
        if wrong > _DIFFER * len(texts):
            raise SystemExit(f"{name}: {wrong} of {len(texts)} texts differ: nothing is timed")


def _sentences(text: str, language: str = "en") -> list[str]:
    return nupunkt.sent_tokenize(text)


if __name__ == "__main__":
    main()
