"""One tool: a function, what it says of itself, and how it is called with JSON."""

import inspect
import json
import typing

from .arguments import to_python
from .docstrings import Docstring
from .schemas import Schemas

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_ONLY)


class Tool:
    def __init__(self, function):
        self.function = function
        self.name = function.__name__
        self._hints = _hints(function)
        parameters = inspect.signature(function).parameters.values()
        self._parameters = [parameter for parameter in parameters if parameter.kind in _NAMED]
        self._takes_more = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters)
        words = Docstring(function.__doc__)
        self.description = {
            "name": self.name,
            "description": words.description or self.name.replace("_", " "),
            "inputSchema": self._input_schema(words),
            "examples": words.examples,
        }

    def call(self, args):
        """Calls the function with arguments of JSON. Raises Mismatch where they do not fit."""
        given = dict(args)
        positional = []
        named = {}
        for parameter in self._parameters:
            if parameter.name not in given:
                continue
            value = to_python(self._hint(parameter), given.pop(parameter.name), parameter.name)
            if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
                positional.append(value)
            else:
                named[parameter.name] = value
        return self.function(*positional, **named, **given)

    def _hint(self, parameter):
        return self._hints.get(parameter.name, typing.Any)

    def _input_schema(self, words):
        schemas = Schemas()
        properties = {}
        required = []
        for parameter in self._parameters:
            schema = schemas.of(self._hint(parameter))
            if words.arguments.get(parameter.name):
                schema = {**schema, "description": words.arguments[parameter.name]}
            if parameter.default is inspect.Parameter.empty:
                required.append(parameter.name)
            else:
                schema = {**schema, **_default(parameter.default)}
            properties[parameter.name] = schema
        schema = {"type": "object", "properties": properties, "additionalProperties": self._takes_more}
        if required:
            schema["required"] = required
        if schemas.definitions:
            schema["$defs"] = schemas.definitions
        return schema


def _default(value):
    """The default as a schema says it; nothing for one that JSON cannot carry unchanged."""
    try:
        if value is not None and json.loads(json.dumps(value, allow_nan=False)) == value:
            return {"default": value}
    except (TypeError, ValueError):
        pass
    return {}


def _hints(function):
    try:
        return typing.get_type_hints(function, include_extras=True)
    except Exception:
        # A hint may name what is imported for type checkers only.
        hints = getattr(function, "__annotations__", {})
        return {name: hint for name, hint in hints.items() if not isinstance(hint, str)}
