"""Reading a condition.

The grammar, whose words are in lower case:

    condition   all { "or" all }
    all         one { "and" one }
    one         "not" one | "(" condition ")" | test
    test        COLUMN ("==" | "!=" | "<" | "<=" | ">" | ">=") VALUE
              | COLUMN ["not"] "in" ( "(" VALUE { "," VALUE } ")" | FILE )
              | COLUMN "is" ["not"] "null"
              | ("kept" | "dropped") [ "by" STAGE ]

A value is a word, or anything between quotes. Nothing is ever evaluated as code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gristmill.errors import UsageError
from gristmill.pipeline.where.conditions import COMPARISONS, Absent, Compared, Condition, Fate, Joined, Negated, OneOf

_TOKEN: Final = re.compile(
    r"""\s*(?: (?P<quoted>"[^"]*"|'[^']*') | (?P<mark><=|>=|==|!=|<|>|=|\(|\)|,) | (?P<word>[^\s()<>=!,"']+) )""",
    re.VERBOSE,
)
_DEEPEST: Final = 50
EXAMPLE: Final = "word_count >= 200 and language in (en, fr) and kept"


@dataclass(frozen=True)
class _Token:
    text: str
    is_quoted: bool


def parse_condition(text: str) -> Condition:
    """Return the condition that a text states. Raises UsageError saying what was expected, and where."""
    parser = _Parser(text)
    condition = parser.condition(0)
    parser.expect_end()
    return condition


class _Parser:
    """The tokens of a condition, taken one by one."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0

    def condition(self, depth: int) -> Condition:
        """Take a whole condition, up to what cannot belong to it."""
        if depth > _DEEPEST:
            raise UsageError(f"the condition has parentheses or 'not' more than {_DEEPEST} deep; make it simpler")
        found = [self._all(depth)]
        while self._take("or"):
            found.append(self._all(depth))
        return found[0] if len(found) == 1 else Joined("or", tuple(found))

    def expect_end(self) -> None:
        """Raise UsageError unless nothing is left."""
        if self._at < len(self._tokens):
            raise self._wrong("'and', 'or' or the end")

    def _all(self, depth: int) -> Condition:
        found = [self._one(depth)]
        while self._take("and"):
            found.append(self._one(depth))
        return found[0] if len(found) == 1 else Joined("and", tuple(found))

    def _one(self, depth: int) -> Condition:
        if self._take("not"):
            if depth > _DEEPEST:
                raise self._wrong("fewer 'not'")
            return Negated(self._one(depth + 1))
        if self._take("("):
            condition = self.condition(depth + 1)
            self._need(")")
            return condition
        return self._test()

    def _test(self) -> Condition:
        name = self._name("a column, 'kept' or 'dropped'")
        if name in ("kept", "dropped") and not self._is_next(*COMPARISONS, "in", "is"):
            return Fate(name == "kept", self._name("a stage") if self._take("by") else None)
        if self._take("is"):
            negated = self._take("not")
            self._need("null")
            return Negated(Absent(name)) if negated else Absent(name)
        if self._take("not"):
            self._need("in")
            return Negated(self._one_of(name))
        if self._take("in"):
            return self._one_of(name)
        for comparison in COMPARISONS:
            if self._take(comparison):
                return Compared(name, comparison, self._value())
        raise self._wrong(f"after '{name}' one of {', '.join(COMPARISONS)}, in, is")

    def _one_of(self, column: str) -> OneOf:
        if not self._take("("):
            return OneOf(column, (), self._value("a file, or values in parentheses"))
        values = [self._value()]
        while self._take(","):
            values.append(self._value())
        self._need(")")
        return OneOf(column, tuple(values))

    def _value(self, what: str = "a value") -> str:
        token = self._token()
        if token is None or not (token.is_quoted or _is_word(token)):
            raise self._wrong(what)
        self._at += 1
        return token.text

    def _name(self, what: str) -> str:
        token = self._token()
        if token is None or token.is_quoted or not _is_word(token) or token.text in ("and", "or", "in", "is", "by"):
            raise self._wrong(what)
        self._at += 1
        return token.text

    def _token(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _is_next(self, *texts: str) -> bool:
        token = self._token()
        return token is not None and not token.is_quoted and token.text in texts

    def _take(self, text: str) -> bool:
        taken = self._is_next(text)
        self._at += taken
        return taken

    def _need(self, text: str) -> None:
        if not self._take(text):
            raise self._wrong(f"'{text}'")

    def _wrong(self, expected: str) -> UsageError:
        token = self._token()
        found = "its end" if token is None else f"'{token.text}'"
        return UsageError(f"the condition '{self._text}' needs {expected}, not {found}; an example: {EXAMPLE}")


def _is_word(token: _Token) -> bool:
    return token.text not in (*COMPARISONS, "=", "(", ")", ",")


def _tokens(text: str) -> list[_Token]:
    """Return the tokens of a condition. Raises UsageError for what is none."""
    found, at, text = [], 0, text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise UsageError(
                f"the condition '{text}' cannot be read from '{text[at:].strip()}' on; is a quote missing?"
            )
        quoted = match["quoted"]
        found.append(_Token(quoted[1:-1] if quoted else match["mark"] or match["word"], quoted is not None))
        at = match.end()
    if not found:
        raise UsageError(f"the condition is empty; an example: {EXAMPLE}")
    return found
