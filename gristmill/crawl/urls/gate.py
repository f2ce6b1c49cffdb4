"""What stands between a record and its extraction: rules on its address, and its own wish."""

from __future__ import annotations

import importlib.metadata
from typing import NamedTuple

from gristmill.crawl import fates
from gristmill.crawl.extraction.protocol import Page
from gristmill.crawl.fates import Fate
from gristmill.crawl.http.response import Response
from gristmill.crawl.settings import ExtractSettings
from gristmill.crawl.urls.opt_out import OptOutFinder
from gristmill.crawl.urls.rules import UrlRules, open_rules, prepare_rules

RULES = "url_rules"
"""Under which name the key of the rules stands among a step's versions."""


class Gate(NamedTuple):
    """Rules on addresses, and signals of opting out; either may be None."""

    rules: UrlRules | None = None
    opt_out: OptOutFinder | None = None

    def for_url(self, url: str | None) -> Fate | None:
        """Return the fate that an address has by the rules; None if it may be extracted, or there is no address."""
        return self.rules.judge(url) if self.rules is not None and url else None

    def for_page(self, response: Response, page: Page) -> Fate | None:
        """Return the fate of a page that does not want to be used; None of any other."""
        if self.opt_out is None:
            return None
        signal = self.opt_out.find(response.fields, b"" if page.is_plain else page.body)
        return None if signal is None else Fate(fates.OPT_OUT, signal)


def open_gate(settings: ExtractSettings, key: str | None = None) -> Gate:
    """Return the gate that a recipe asks for; ``key`` is that of its rules in the plan, where there is one.

    Raises as `open_rules` does.
    """
    rules = open_rules(settings.url_blocklist, settings.url_rules, key)
    return Gate(rules, None if settings.opt_out is None else OptOutFinder(settings.opt_out))


def gate_versions(settings: ExtractSettings) -> dict[str, str]:
    """Return what the rules on addresses depend on: their key, and libraries; nothing if there are none.

    The rules are ready afterwards. Raises MissingError, UsageError, CorruptError.
    """
    key = prepare_rules(settings.url_blocklist, settings.url_rules)
    if key is None:
        return {}
    return {RULES: key} | {name: importlib.metadata.version(name) for name in ("idna", "tldextract")}
