"""Covers what a tool was given as a secret where its error quotes it. The same words as in config/redact.ts."""

import json
import re

_NAMES = re.compile(
    r"secret|passw(?:or)?d|passphrase|token|credential|api[-_]?key|private[-_]?key|authorization|cookie|^(?:x-)?key$",
    re.IGNORECASE,
)
_SHORTEST = 8


def without_secrets(text, args):
    found = {form for value in _secrets(args, False) for form in (value, json.dumps(value)[1:-1], repr(value)[1:-1])}
    for secret in sorted(found, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, "\u2022\u2022\u2022")
    return text


def _secrets(value, is_secret):
    if isinstance(value, str):
        if is_secret:
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from _secrets(item, is_secret)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _secrets(item, bool(_NAMES.search(name)))
