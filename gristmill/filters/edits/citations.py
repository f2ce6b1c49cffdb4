"""Citation marks of Wikipedia, cut out of the text as C4's reference code cuts them."""

from __future__ import annotations

from typing import Final

from gristmill.filters.edits.edit import EDIT_COUNT, Edit, Made, not_emptied
from gristmill.filters.edits.lines import line_cuts, mark_citations, new_marks
from gristmill.filters.edits.settings import CitationsSettings
from gristmill.text import TextBatch

NAME: Final = "citations"


def make(batch: TextBatch, settings: CitationsSettings) -> Made:
    """Cut ``[12]``, ``[]``, ``[edit]`` and ``[citation needed]``.

    Between two words a space takes the mark's place: C4 joins them.
    """
    marks = new_marks(batch)
    mark_citations(batch, marks)
    return Made(batch, line_cuts(batch, marks, NAME, ()))


EDIT: Final = Edit(
    name=NAME,
    source="Raffel et al. 2020, arXiv:1910.10683; the citations of its reference code",
    version=1,
    make=make,
    facts=(EDIT_COUNT,),
    rules=lambda settings: (not_emptied(NAME),),
)
