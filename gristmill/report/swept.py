"""The bound that a sweep moves: a rule of its own, or one that stands inside a choice."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gristmill.errors import UsageError
from gristmill.filters.rules.rule import AnyRule, Choice, Rule
from gristmill.pipeline.ledger import finished_deciders
from gristmill.pipeline.plan import Step
from gristmill.pipeline.recipe import nearest
from gristmill.pipeline.run import Run
from gristmill.pipeline.stages.importance import draw
from gristmill.pipeline.stages.rules import step_rules
from gristmill.report.found_bounds import decider_rules

Path = tuple[int, ...]


@dataclass(frozen=True)
class Placed:
    """A bound and where it stands in a rule: option and position, again for each choice inside; () for the rule."""

    path: Path
    bound: Rule

    @property
    def name(self) -> str:
        """What it is called within its choice, such as ``2.word_count.min``: the options, then signal and side."""
        return ".".join([*(str(number + 1) for number in self.path[::2]), self.bound.label])


@dataclass(frozen=True)
class Swept:
    """A bound that is swept: its step, the rule that it is or stands in, and the step's other rules by reason code."""

    step: Step
    whole: AnyRule
    placed: Placed
    others: dict[str, tuple[AnyRule, ...]]

    @property
    def rule(self) -> Rule:
        """The bound itself."""
        return self.placed.bound

    def with_bound(self, bound: float) -> AnyRule:
        """Return the whole rule with another bound there."""
        return _replaced(self.whole, self.placed.path, replace(self.rule, bound=bound))

    def ends(self) -> tuple[AnyRule, AnyRule]:
        """Return the whole rule with a bound that drops no number, and with one that drops every finite one."""
        loosest = -math.inf if self.rule.side == "min" else math.inf
        return self.with_bound(loosest), self.with_bound(-loosest)


def find_rule(run: Run, code: str, language: str | None = None, bound: str | None = None) -> Swept:
    """Return the bound of a finished filter that a reason code names; ``language`` tells it from those of others.

    ``bound`` names it within a choice: ``word_count.min``, or ``2.word_count.min`` if it stands in several options.
    Raises UsageError, naming the nearest codes, if there is none, if it is no bound on a number, or if there are
    several.
    """
    _refuse_drawn(run, code)
    steps = [step for step in finished_deciders(run) if step.kind == "rules"]
    known = [rule for step in steps for rule in step_rules(step)]
    if not known:
        raise UsageError("the run has no rule that has been evaluated on every shard; run its filter first")
    step = next((step for step in steps if code in {rule.code for rule in step_rules(step)}), None)
    if step is None:
        raise UsageError(f"the run has no rule '{code}'{_where_else(code, known)}")
    same = [rule for rule in step_rules(step) if rule.code == code]
    whole, placed = _chosen(same, language, bound)
    if isinstance(placed.bound.bound, tuple):
        raise UsageError(f"rule '{code}' is no bound on a number; sweep takes one such as {_an_example(known)}")
    others: dict[str, tuple[AnyRule, ...]] = {}
    for other in step_rules(step):
        if other != whole:
            others[other.code] = (*others.get(other.code, ()), other)
    return Swept(step, whole, placed, others)


def _refuse_drawn(run: Run, code: str) -> None:
    """Raise UsageError for a bound that follows from how many documents a stage draws."""
    for step in finished_deciders(run):
        if step.kind == draw.KIND and code in {rule.code for rule in decider_rules(run, step)}:
            raise UsageError(
                f"'{code}' follows from how many documents stage '{step.stage}' draws; write another take, fraction or "
                "min_words and run again, which reads no text, and `gristmill compare` shows what changes"
            )


def _chosen(same: Sequence[AnyRule], language: str | None, bound: str | None) -> tuple[AnyRule, Placed]:
    """Return the rule that is meant of those of one code, and the bound in it. Raises UsageError."""
    choice = same[0]
    if isinstance(choice, Choice):
        there = list(_placed(choice))
        names = ", ".join(dict.fromkeys(one.name for one in there))
        if bound is None:
            raise UsageError(f"rule '{choice.code}' is a choice among bounds; name one with --bound: {names}")
        found = [one for one in there if bound in (one.name, one.bound.label)]
        if len({one.name for one in found}) != 1:
            asked = f"stands in several options of rule '{choice.code}'" if found else f"is not in rule '{choice.code}'"
            raise UsageError(f"bound '{bound}' {asked}; name one of these with --bound: {names}")
        rule = _one_of([one.bound for one in found], language)
        return choice, next(one for one in found if one.bound == rule)
    if bound is not None:
        raise UsageError(f"rule '{choice.code}' is one bound, not a choice among several; leave --bound out")
    rule = _one_of([rule for rule in same if isinstance(rule, Rule)], language)
    return rule, Placed((), rule)


def _one_of(same: Sequence[Rule], language: str | None) -> Rule:
    """Return the rule for a language; without one, the only one there is. Raises UsageError if that is not one."""
    if language is None and len(same) == 1:
        return same[0]
    of_language = [rule for rule in same if rule.where and language in rule.where[1]]
    if language is None:
        of_language = [rule for rule in same if rule.where is None]
    if len(of_language) == 1:
        return of_language[0]
    labels = sorted({text for rule in same if rule.where for text in rule.where[1]})
    there = f"it has bounds of their own for {', '.join(labels)}" if labels else "it has one bound for all languages"
    asked = "has several bounds; choose one with --language" if language is None else f"has no bound for '{language}'"
    raise UsageError(f"rule '{same[0].code}' {asked}; {there}")


def _placed(choice: Choice, before: Path = ()) -> Iterator[Placed]:
    """Yield the bounds of a choice, in the order written."""
    for number, option in enumerate(choice.options):
        for position, rule in enumerate(option):
            path = (*before, number, position)
            if isinstance(rule, Choice):
                yield from _placed(rule, path)
            else:
                yield Placed(path, rule)


def _replaced(rule: AnyRule, path: Path, bound: Rule) -> AnyRule:
    """Return the rule with another bound at a path."""
    if not path or isinstance(rule, Rule):
        return bound
    number, position, *rest = path
    option = list(rule.options[number])
    option[position] = _replaced(option[position], tuple(rest), bound)
    return replace(rule, options=(*rule.options[:number], tuple(option), *rule.options[number + 1 :]))


def _where_else(code: str, known: Sequence[AnyRule]) -> str:
    """Return in which choice a bound of that code stands, or the nearest codes of rules."""
    for rule in known:
        if isinstance(rule, Choice) and code in {bound.code for bound in rule.bounds}:
            label = code.removeprefix(f"{rule.preset}.")
            return f"; a bound of that name stands inside a choice: --rule '{rule.code}' --bound {label}"
    return nearest(code, list(dict.fromkeys(rule.code for rule in known)))


def _an_example(known: Sequence[AnyRule]) -> str:
    numbers = (rule.code for rule in known if isinstance(rule, Rule) and not isinstance(rule.bound, tuple))
    return next(numbers, "house.word_count.min")
