"""Makes what a function expects of the JSON that came."""

import collections.abc
import datetime
import enum
import os
import typing
import uuid

from .hints import fields_of, is_annotated, is_dataclass, is_literal, is_model, is_typed_dict, is_union


class Mismatch(Exception):
    """A value that does not fit its type hint."""


def to_python(hint, value, where):
    """The value as the hint has it. Raises Mismatch, which says where. What a hint does not tell stays JSON."""
    if is_annotated(hint):
        return to_python(hint.__origin__, value, where)
    if hasattr(hint, "__supertype__"):
        return to_python(hint.__supertype__, value, where)
    if is_union(hint):
        return _first_that_fits(typing.get_args(hint), value, where)
    if is_literal(hint):
        return _literal(hint, value, where)
    if is_model(hint):
        return _model(hint, value, where)
    if is_dataclass(hint) or is_typed_dict(hint):
        return _record(hint, value, where)
    origin, members = typing.get_origin(hint) or hint, typing.get_args(hint)
    if origin in (list, set, frozenset, tuple, collections.abc.Sequence, collections.abc.Iterable):
        return _list(origin, members, value, where)
    if origin in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        _expect(isinstance(value, dict), where, "an object", value)
        if len(members) != 2:
            return value
        return {to_key(members[0], key, where): to_python(members[1], member, f"{where}.{key}") for key, member in value.items()}
    return _single(hint, value, where)


def to_key(hint, key, where):
    return int(key) if hint is int else _single(hint, key, where)


def _single(hint, value, where):
    if hint is None or hint is type(None):
        _expect(value is None, where, "null", value)
    elif hint is bool:
        _expect(isinstance(value, bool), where, "true or false", value)
    elif hint is int:
        _expect(isinstance(value, int) and not isinstance(value, bool), where, "a whole number", value)
    elif hint is float:
        _expect(isinstance(value, (int, float)) and not isinstance(value, bool), where, "a number", value)
        return float(value)
    elif hint is str:
        _expect(isinstance(value, str), where, "a text", value)
    elif isinstance(hint, type) and issubclass(hint, enum.Enum):
        return _made(hint, value, where)
    elif hint in (datetime.datetime, datetime.date):
        _expect(isinstance(value, str), where, "a date as text", value)
        return _made(hint.fromisoformat, value.replace("Z", "+00:00"), where)
    elif isinstance(hint, type) and issubclass(hint, os.PathLike):
        from pathlib import Path

        return _made(Path if hint is os.PathLike else hint, value, where)
    elif hint is uuid.UUID:
        return _made(hint, value, where)
    return value


def _list(origin, members, value, where):
    _expect(isinstance(value, list), where, "a list", value)
    if origin is tuple and members and members[-1] is not Ellipsis:
        _expect(len(value) == len(members), where, f"a list of {len(members)}", value)
        return tuple(to_python(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(zip(members, value)))
    hint = members[0] if members else typing.Any
    items = [to_python(hint, item, f"{where}[{index}]") for index, item in enumerate(value)]
    return origin(items) if origin in (set, frozenset, tuple) else items


def _record(hint, value, where):
    _expect(isinstance(value, dict), where, "an object", value)
    fields = fields_of(hint)
    missing = [name for name, _, is_required in fields if is_required and name not in value]
    unknown = set(value) - {name for name, _, _ in fields}
    _expect(not missing and not unknown, where, f"an object with {', '.join(name for name, _, _ in fields)}", value)
    return hint(**{name: to_python(member, value[name], f"{where}.{name}") for name, member, _ in fields if name in value})


def _model(hint, value, where):
    try:
        return hint.model_validate(value)
    except ValueError as thrown:
        raise Mismatch(f"{where}: {thrown}") from None


def _literal(hint, value, where):
    for allowed in typing.get_args(hint):
        plain = allowed.value if isinstance(allowed, enum.Enum) else allowed
        if plain == value and isinstance(plain, bool) == isinstance(value, bool):
            return allowed
    raise Mismatch(f"{where} is none of {typing.get_args(hint)!r}")


def _first_that_fits(hints, value, where):
    for hint in hints:
        try:
            return to_python(hint, value, where)
        except Mismatch as thrown:
            last = thrown
    raise last


def _made(make, value, where):
    try:
        return make(value)
    except (TypeError, ValueError) as thrown:
        raise Mismatch(f"{where}: {thrown}") from None


def _expect(fits, where, what, value):
    if not fits:
        raise Mismatch(f"{where} is not {what} but {value!r:.80}")
