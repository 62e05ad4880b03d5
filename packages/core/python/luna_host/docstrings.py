"""Reads the sections of a docstring: what the tool does, examples, and a line for each argument."""

import inspect
import json
import re
import textwrap

_HEADER = re.compile(
    r"^(?P<name>examples? prompts?|examples? responses?|examples? (?:args|arguments)"
    r"|args|arguments|parameters|params|returns?|raises|yields)\s*:\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_ARGUMENT = re.compile(r"^\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*(?::|--?|–)\s*(?P<text>.*)$")


class Docstring:
    def __init__(self, text):
        sections = _sections(inspect.cleandoc(text or ""))
        self.description = sections.pop("description", "")
        #: Words on arguments, by name.
        self.arguments = _arguments(sections.get("args", ""))
        self.examples = _examples(sections)


def _sections(text):
    found = {}
    name = "description"
    for line in text.split("\n"):
        header = _HEADER.match(line.strip())
        # Only lines at the left edge open a section: an argument may be called "returns".
        if header and not line.startswith((" ", "\t")):
            name = _plain_name(header.group("name"))
            line = header.group("rest")
            if name in found:
                found[name] += "\n"
        found[name] = f"{found[name]}\n{line}" if name in found else line
    return {name: textwrap.dedent(body.strip("\n")).rstrip() for name, body in found.items()}


def _plain_name(header):
    words = header.lower().split()
    if words[0].startswith("example"):
        return "example " + {"prompt": "prompt", "response": "response"}.get(words[1].rstrip("s"), "args")
    return "args" if words[0] in ("args", "arguments", "parameters", "params") else words[0]


def _arguments(body):
    as_json = _json(body)
    if isinstance(as_json, dict):
        return {name: text for name, text in as_json.items() if isinstance(text, str)}
    words = {}
    name = None
    lines = body.split("\n")
    edge = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    for line in lines:
        argument = _ARGUMENT.match(line.strip()) if len(line) - len(line.lstrip()) == edge else None
        if argument:
            name = argument.group("name")
            words[name] = argument.group("text")
        elif name is not None and line.strip():
            words[name] = f"{words[name]} {line.strip()}".strip()
    return words


def _examples(sections):
    prompt = sections.get("example prompt", "").strip()
    if not prompt:
        return []
    example = {"prompt": _unquoted(prompt)}
    args = _json(sections.get("example args", ""))
    if isinstance(args, dict):
        example["args"] = args
    response = sections.get("example response", "").strip()
    if response:
        parsed = _json(response)
        example["response"] = response if parsed is None else parsed
    return [example]


def _unquoted(text):
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _json(text):
    try:
        return json.loads(text)
    except ValueError:
        return None
