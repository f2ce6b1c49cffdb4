"""What the address of a document tells of it."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.filters.signals.signal import signal
from gristmill.text import TextBatch

FAMILY: Final = "url"
SOURCE: Final = (
    "RFC 3986, appendix B; read by the rules of DeepSeek-Coder, Guo et al. 2024, arXiv:2401.14196, section 2"
)
_BEFORE_PATH: Final = "^(?:[^:/?#]+:)?(?://[^/?#]*)?"
_EXTENSION: Final = r"^(?:[^?#]*/)?[^/?#]*[^/?#.][^/?#]*\.(?P<found>[A-Za-z0-9+_-]{1,20})(?:[?#]|$)"


@signal(pa.string(), FAMILY, SOURCE, needs=(schema.URL,))
def url_extension(batch: TextBatch) -> pa.Array:
    """Extension of the last part of the address's path, in lower case: what follows its last full stop.

    Empty if there is none. Of ``https://example.com/a/Setup.PY?raw=1`` it is ``py``. One to 20 letters, digits, ``+``,
    ``-`` and ``_`` of ASCII are an extension; something other than full stops must stand before it, so ``/.bashrc`` has
    none. A document without an address has an empty one.
    """
    paths = pc.replace_substring_regex(batch.columns[schema.URL], _BEFORE_PATH, "", max_replacements=1)
    found = pc.struct_field(pc.extract_regex(paths, _EXTENSION), "found")
    return pc.ascii_lower(pc.fill_null(found, "")).cast(pa.string())


SIGNALS: Final = (url_extension,)
