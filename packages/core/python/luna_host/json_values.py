"""JSON of what tools return beside JSON's own types."""

import base64
import collections.abc
import dataclasses
import datetime
import decimal
import enum
import os
import uuid


def to_json(value):
    """For `json.dumps(default=…)`. Raises TypeError for what has no JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if hasattr(value, "model_dump"):  # a model of pydantic
        return value.model_dump(mode="json")
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, (decimal.Decimal, uuid.UUID, os.PathLike)):
        return str(value)
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, collections.abc.Iterable):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")
