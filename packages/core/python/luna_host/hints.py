"""What a type hint is, told once for schemas and for arguments."""

import dataclasses
import typing

try:
    from types import UnionType
except ImportError:  # Python 3.9
    UnionType = None

#: What the helpers of other libraries that extend `typing` are called for old Pythons.
_LITERALS = {typing.Literal}
try:
    import typing_extensions

    _LITERALS.add(typing_extensions.Literal)
except ImportError:
    pass


def is_union(hint):
    origin = typing.get_origin(hint)
    return origin is typing.Union or (UnionType is not None and origin is UnionType)


def is_literal(hint):
    return typing.get_origin(hint) in _LITERALS


def is_annotated(hint):
    return hasattr(hint, "__metadata__")


def is_typed_dict(hint):
    return isinstance(hint, type) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def is_dataclass(hint):
    return isinstance(hint, type) and dataclasses.is_dataclass(hint)


def is_model(hint):
    """A model of pydantic, which may not be installed."""
    return isinstance(hint, type) and hasattr(hint, "model_json_schema") and hasattr(hint, "model_validate")


def fields_of(hint):
    """The fields of a dataclass or TypedDict: (name, hint, is required)."""
    try:
        hints = typing.get_type_hints(hint, include_extras=True)
    except Exception:
        hints = {}
    if is_typed_dict(hint):
        return [(name, _bare(hints.get(name, typing.Any)), name in hint.__required_keys__) for name in hint.__annotations__]
    missing = dataclasses.MISSING
    return [
        (field.name, hints.get(field.name, typing.Any), field.default is missing and field.default_factory is missing)
        for field in dataclasses.fields(hint)
        if field.init
    ]


def _bare(hint):
    """The hint within `Required[…]` and `NotRequired[…]`."""
    origin = typing.get_origin(hint)
    if getattr(origin, "_name", None) in ("Required", "NotRequired"):
        return typing.get_args(hint)[0]
    return hint
