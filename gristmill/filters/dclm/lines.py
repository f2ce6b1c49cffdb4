"""DCLM's lines and paragraphs: without the white space at their ends, and without those that are empty then."""

from __future__ import annotations

import numpy as np

from gristmill import _kernels as segmentation
from gristmill.characters import character_classes
from gristmill.text import Spans, TextBatch


def lines(batch: TextBatch) -> Spans:
    """Return the lines that line feeds end."""
    return _filled(batch, batch.feed_lines)


def paragraphs(batch: TextBatch) -> Spans:
    """Return the paragraphs that two or more line feeds end."""
    return _filled(batch, batch.feed_paragraphs)


def _filled(batch: TextBatch, spans: Spans) -> Spans:
    """Return the spans without the white space at their ends that have something left."""
    begins, stops = np.empty(len(spans.starts), np.int64), np.empty(len(spans.starts), np.int64)
    segmentation.stripped_spans(batch.data, (spans.starts, spans.ends), character_classes(), begins, stops)
    filled = stops > begins
    counts = np.concatenate([[0], np.cumsum(filled)])[spans.counts]
    return Spans(counts, begins[filled].astype(np.int32), stops[filled].astype(np.int32))
