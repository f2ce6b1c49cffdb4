"""A small crawl written for gristmill, with planted cases whose fate is known.

prose      paragraphs by language and subject, and articles made of them
sites      hosts, addresses and page templates
pages      a page: its response, and the fate planned for it
failing    pages that fail a rule        copies    duplicates, outdated copies, benchmark items quoted
wire       odd responses                 strange   other languages, hostile text
crawl      when each page is fetched, and into which file
warc       WARC records                  truth     the lines of truth.jsonl
write      the whole, written to a folder

Everything is a function of the seed. `docs/sample.md` tells what is in it.
"""

from gristmill.sample.write import SampleSummary, write_sample

__all__ = ["SampleSummary", "write_sample"]
