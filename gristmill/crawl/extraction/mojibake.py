"""Repairing text that was decoded by a wrong charset and encoded again, as ``Ã¼`` for ``ü``, with ftfy.

Only the charset's traces are repaired: quotes, ligatures and widths stay as the page has them. Pages that quote other
pages hold both kinds of text, so each line is judged for itself.
Source: Speer 2019, https://doi.org/10.5281/zenodo.2591652.
"""

from __future__ import annotations


def repair(text: str | None) -> str | None:
    r"""Return a text whose lines are repaired where they need it.

    >>> repair("GrÃ¼ÃŸe\nübrigens")
    'Grüße\nübrigens'
    """
    if text is None or text.isascii():
        return text
    from ftfy import fix_encoding

    return "\n".join(line if line.isascii() else fix_encoding(line) for line in text.split("\n"))
