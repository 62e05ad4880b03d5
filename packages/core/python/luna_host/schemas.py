"""Makes JSON Schemas of type hints."""

import collections.abc
import datetime
import enum
import os
import typing
import uuid

from .hints import fields_of, is_annotated, is_dataclass, is_literal, is_model, is_typed_dict, is_union

_PLAIN = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    None: {"type": "null"},
    datetime.datetime: {"type": "string", "format": "date-time"},
    datetime.date: {"type": "string", "format": "date"},
    uuid.UUID: {"type": "string", "format": "uuid"},
}

_LISTS = (list, tuple, set, frozenset, collections.abc.Sequence, collections.abc.Iterable, collections.abc.Collection)
_DICTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)


class Schemas:
    """Schemas of one tool. Types that contain themselves, and models, are in `definitions`."""

    def __init__(self):
        self.definitions = {}
        self._open = []
        self._recursive = set()

    def of(self, hint):
        """The schema of a hint; a hint that is not understood allows anything."""
        if is_annotated(hint):
            return self._annotated(hint)
        if isinstance(hint, typing.Hashable) and hint in _PLAIN:
            return dict(_PLAIN[hint])
        if is_union(hint):
            return _any_of([self.of(member) for member in typing.get_args(hint)])
        if is_literal(hint):
            return _values([_plain(value) for value in typing.get_args(hint)])
        origin, members = typing.get_origin(hint) or hint, typing.get_args(hint)
        if is_typed_dict(hint) or is_dataclass(hint):
            return self._record(hint)
        if is_model(hint):
            return self._model(hint)
        if origin is tuple and members and members[-1] is not Ellipsis:
            size = len(members)
            return {"type": "array", "prefixItems": [self.of(m) for m in members], "minItems": size, "maxItems": size}
        if origin in _LISTS:
            return {"type": "array", **({"items": self.of(members[0])} if members else {})}
        if origin in _DICTS:
            return {"type": "object", **({"additionalProperties": self.of(members[1])} if len(members) == 2 else {})}
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return _values([_plain(member) for member in hint])
        if isinstance(hint, type) and issubclass(hint, os.PathLike):
            return {"type": "string"}
        if isinstance(hint, type) and issubclass(hint, (str, int)):
            return self.of(str if issubclass(hint, str) else int)
        if hasattr(hint, "__supertype__"):  # typing.NewType
            return self.of(hint.__supertype__)
        return {}

    def _annotated(self, hint):
        schema = self.of(hint.__origin__)
        for extra in hint.__metadata__:
            said = extra if isinstance(extra, str) else getattr(extra, "description", None)
            if isinstance(said, str):
                schema = {**schema, "description": said}
        return schema

    def _record(self, hint):
        reference = {"$ref": f"#/$defs/{hint.__qualname__.replace('<locals>.', '')}"}
        if hint in self._open:
            self._recursive.add(hint)
            return reference
        self._open.append(hint)
        fields = fields_of(hint)
        schema = {"type": "object", "properties": {name: self.of(member) for name, member, _ in fields}}
        required = [name for name, _, is_required in fields if is_required]
        if required:
            schema["required"] = required
        schema["additionalProperties"] = False
        self._open.pop()
        if hint not in self._recursive:
            return schema
        self.definitions[reference["$ref"].rpartition("/")[2]] = schema
        return reference

    def _model(self, hint):
        # Each model brings its own definitions; its name before theirs keeps those of two models apart.
        prefix = f"{hint.__name__}_"
        schema = hint.model_json_schema(ref_template=f"#/$defs/{prefix}{{model}}")
        for name, definition in schema.pop("$defs", {}).items():
            self.definitions[prefix + name] = definition
        return schema


def _any_of(schemas):
    if all(set(schema) == {"type"} for schema in schemas):
        return {"type": [schema["type"] for schema in schemas]}
    return {"anyOf": schemas}


def _values(values):
    kinds = {bool: "boolean", str: "string", int: "integer", float: "number"}
    found = {kinds.get(type(value)) for value in values}
    kind = found.pop() if len(found) == 1 else None
    return {**({"type": kind} if kind else {}), "enum": values}


def _plain(value):
    return value.value if isinstance(value, enum.Enum) else value
