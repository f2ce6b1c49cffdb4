"""Why a deduplication may have dropped nothing, nearly everything, or joined what is unlike; filters that are too full.

Read from layers, documents' URLs and footers of filters alone.
"""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from gristmill import schema
from gristmill.dedup.minhash.curve import banding_of
from gristmill.dedup.minhash.settings import MinHashSettings
from gristmill.dedup.minhash.sizes import ComponentSizes, OfSize
from gristmill.dedup.settings import DedupSettings
from gristmill.dedup.simhash.settings import SimHashSettings
from gristmill.pipeline.plan import Step
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.dedup.bloom.files import FilterFiles, keys_of_all
from gristmill.pipeline.stages.dedup.older import names_in

_HALF = 0.5
GIANT = 1_000
"""Documents of a component that is told of where it was split."""
GIANT_SHARE = 0.1
"""Share of all documents compared beyond which a component is told of in any case."""
_SHORT_SHINGLES = 4
_LOW_THRESHOLD = 0.5


def why_most_are_copies(run: Run, step: Step, dropped: int, came: int) -> str:
    """Return why most documents are copies: of an older run, of one document, or each of some other."""
    partners = _partners(run, step)
    for name in names_in(step):
        of_run = sum(count for partner, count in partners.items() if partner.startswith(f"{name}:"))
        if of_run > _HALF * dropped:
            return f"{of_run:,} of them are in run '{name}', which may have read the same files"
    giant = giant_component(run, step, came)
    if giant is not None:
        return f"it {giant[0]}: {giant[1]}"
    settings = DedupSettings.model_validate(dict(step.settings)).simhash
    if settings is not None and settings.shingles == "words" and settings.ngram == 1:
        return "most texts of a language are alike in their single words; give `ngram` 3 or more"
    survivor, most = min(partners.items(), key=lambda item: (-item[1], item[0]))
    if most > _HALF * dropped:
        return (
            f"{most:,} of them are copies of one document, {survivor}: a page that a site shows for many addresses, or "
            "texts that an earlier stage has emptied"
        )
    cause = "a file may be named twice in the source, or the crawl have fetched its pages again and again"
    return f"clusters are large, {dropped / len(partners):,.1f} copies for each survivor that has any: {cause}"


def why_none_is_a_copy(run: Run, step: Step) -> str:
    """Return why nothing is a copy: a stage before it has found all, scopes are narrow, or nothing can be equal."""
    settings = DedupSettings.model_validate(dict(step.settings))
    for other in run.plan.deciders_before(step):
        if other.kind == "dedup" and _question(other) == _question(step):
            return f"stage '{other.stage}' before it has the same settings"
    if settings.kind == "url":
        return _why_urls_differ(run, step)
    if settings.simhash is not None and (few := _compared_of_few(run, step)) is not None:
        return f"only {few:,} texts have {settings.simhash.min_ngrams} shingles or more: shorter ones are not compared"
    if settings.scope != "corpus":
        return f"only documents of one {settings.scope} are compared"
    if settings.exact == "text":
        return "each text has something of its own, such as a date or a counter; try exact: normalized_text"
    return "the source may have been deduplicated before"


def giant_component(run: Run, step: Step, came: int) -> tuple[str, str] | None:
    """Return what is doubtful about the largest component of near-duplicates, and why it may be; None if nothing is.

    In doubt is one of `GIANT` documents or more that was split, since unlike documents were joined, or that holds more
    than `GIANT_SHARE` of the ``came`` documents that were compared.
    """
    settings = DedupSettings.model_validate(dict(step.settings))
    if settings.kind not in ("minhash", "simhash"):
        return None
    sizes = ComponentSizes()
    for shard in run.plan.shards:
        table = run.read(step, shard, [schema.DUPLICATE_OF, schema.COMPONENT_SIZE])
        sizes.add(table.column(schema.COMPONENT_SIZE), table.column(schema.DUPLICATE_OF))
    for found in sizes:
        is_large = found.size > GIANT_SHARE * came and found.survivors > 0  # none survives where older runs have them
        if found.size >= GIANT and (found.is_split or is_large):
            return _what_was_joined(found), f"{_why(found, settings)}; see `gristmill clusters {run.plan.name} --diff`"
    return None


def _what_was_joined(found: OfSize) -> str:
    what = f"joins {found.size:,} documents into one component"
    if found.components > 1:
        what = f"joins documents into {found.components:,} components of {found.size:,}"
    if not found.is_split:
        return f"{what} and keeps {found.survivors:,} of them"
    return f"{what}, which verification split into {found.survivors:,} clusters"


def _why(found: OfSize, settings: DedupSettings) -> str:
    if settings.minhash is not None:
        return _why_joined(found, settings.minhash)
    assert settings.simhash is not None
    return _why_near(found, settings.simhash)


_ALL_LIKE_ONE = "they are all like one document, such as a page that a site shows for many addresses"


def _why_near(found: OfSize, simhash: SimHashSettings) -> str:
    """Return why fingerprints are near each other in chains, or why all are near one."""
    if not found.is_split:
        return _ALL_LIKE_ONE
    if simhash.shingles == "words" and simhash.ngram == 1:
        return "most texts of a language are alike in their single words; give `ngram` 3 or more"
    return (
        f"texts that say the same over and over, or that share a template, come within {simhash.distance} of "
        f"{simhash.bits} bits of each other; try a lesser `distance`, or more `min_ngrams`"
    )


def _why_joined(found: OfSize, minhash: MinHashSettings) -> str:
    """Return why unlike documents may share bands: short shingles, low bands, or a template; or why like ones do."""
    banding = banding_of(minhash)
    if not found.is_split and minhash.least_similarity is not None:
        return _ALL_LIKE_ONE
    unverified = "" if minhash.least_similarity is not None else "`verify: none` drops what a chain joins; "
    if minhash.shingles == "characters":
        return f"{unverified}unlike texts have many {minhash.ngram} characters in a row in common; try shingles: words"
    if minhash.ngram < _SHORT_SHINGLES:
        return f"{unverified}unlike texts have many {minhash.ngram} words in a row in common; try ngram: 5"
    if banding.threshold < _LOW_THRESHOLD:
        return (
            f"{unverified}{banding.bands} bands of {banding.rows} rows join texts of a similarity of "
            f"{banding.threshold:.2f}; try more rows"
        )
    return f"{unverified}the pages of a site may share a template, such as menus or notices, which an `edit` can cut"


def _compared_of_few(run: Run, step: Step) -> int | None:
    """Return how many documents were compared, if it is less than half of those that came in."""
    before = run.plan.deciders_before(step)
    came = compared = 0
    for shard in run.plan.shards:
        came += pc.sum(run.kept(before, shard)).as_py() or 0
        compared += pc.count(run.read(step, shard, [schema.CLUSTER_SIZE]).column(0)).as_py()
    return compared if compared < _HALF * came else None


def too_full(run: Run, step: Step) -> str | None:
    """Return what is doubtful about Bloom filters that hold more keys than they were made for; None if they do not.

    Filters that are no longer there are not in doubt.
    """
    settings = DedupSettings.model_validate(dict(step.settings)).bloom
    if settings is None or settings.capacity == "auto":
        return None
    found = FilterFiles(keys_of_all(run, step, settings), settings).fullness()
    if found is None or found[0] <= settings.capacity:
        return None
    keys, rate = found
    return (
        f"{step.stage} has {keys:,} keys in Bloom filters for {settings.capacity:,}: their rate of false positives is "
        f"{rate:.2g} instead of {settings.false_positives:.2g}. Give it a capacity of {keys:,} or more, or `auto`. If "
        "this is meant, write warn: false into the stage"
    )


def _why_urls_differ(run: Run, step: Step) -> str:
    """Return why all URLs differ: the documents have none, or a crawl fetches each once."""
    before = run.plan.deciders_before(step)
    with_url = 0
    for shard in run.plan.shards:
        urls = run.read(run.plan.text_step, shard, [schema.URL]).column(schema.URL)
        with_url += pc.sum(pc.and_(run.kept(before, shard), pc.is_valid(urls))).as_py() or 0
    return "one crawl fetches each URL once" if with_url else "no document has a URL"


def _question(step: Step) -> object:
    return {key: value for key, value in step.settings.items() if key not in step.places}


def _partners(run: Run, step: Step) -> Counter[str]:
    """Return how many documents name each survivor."""
    found: Counter[str] = Counter()
    for shard in run.plan.shards:
        named = run.read(step, shard, [schema.DUPLICATE_OF]).column(schema.DUPLICATE_OF).drop_null()
        for entry in pa.chunked_array(named.chunks, pa.string()).value_counts().to_pylist():
            found[entry["values"]] += entry["counts"]
    return found
