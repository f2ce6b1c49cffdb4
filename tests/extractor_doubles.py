"""Extractors that do what a page tells them to, for tests of the process that runs them."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

_TAG = re.compile("<[^>]*>")


def obedient_text(html: str, settings: object) -> str | None:
    """Return the page without its tags, after doing what its first words say."""
    text = _TAG.sub("", html)
    command, _, argument = text.partition(" ")
    if command == "raise":
        raise ValueError("as told")
    if command == "panic":
        raise BaseException("as told")
    if command == "spin":
        while True:
            sum(range(1000))
    if command == "work":
        end = time.process_time() + float(argument.split()[0])
        while time.process_time() < end:
            sum(range(1000))
    if command == "sleep":
        time.sleep(3600)
    if command == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if command == "die-once" and not Path(argument).exists():
        Path(argument).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if command == "hoard":
        return str(len(bytearray(1 << 40)))
    if command == "grow":
        return "é" * int(argument)
    if command == "print":
        print(argument)
        os.write(1, argument.encode())
    if command == "odd":
        return "\r\n a\rb\x00\ud800 \n"
    return text


def cheap_text(html: str, settings: object) -> str | None:
    """Return the same; but a page that is to fail "cheaply" does so here alone."""
    if html == "nothing cheaply":
        return None
    return obedient_text(html.removesuffix(" cheaply"), settings)


def dear_text(html: str, settings: object) -> str | None:
    """Return the same; but a page that was to fail "cheaply" is no command any more."""
    return html if html.endswith(" cheaply") else obedient_text(html, settings)


EXTRACTORS = {"trafilatura": dear_text, "resiliparse": cheap_text, "justext": obedient_text}
