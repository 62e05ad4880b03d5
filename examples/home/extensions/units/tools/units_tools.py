"""Converts units and adds up times: three functions, their hints and their words are all that Luna needs."""

from typing import List, Literal, Optional

SYSTEM_PROMPT = "Use the tools of the extension units for conversions instead of computing them yourself."

METRES = {"m": 1.0, "km": 1000.0, "cm": 0.01, "mi": 1609.344, "ft": 0.3048, "in": 0.0254}


def units_length(value: float, from_unit: Literal["m", "km", "cm", "mi", "ft", "in"], to_unit: Literal["m", "km", "cm", "mi", "ft", "in"]):
    """Converts a length.

    Example Prompt: How many kilometres are 26.2 miles?
    Example Response: {"value": 42.16, "unit": "km"}
    Example Args: {"value": 26.2, "from_unit": "mi", "to_unit": "km"}

    Args:
        value: The length.
        from_unit: The unit that it is in.
        to_unit: The unit that is wanted.
    """
    return True, {"value": round(value * METRES[from_unit] / METRES[to_unit], 4), "unit": to_unit}


async def units_temperature(celsius: Optional[float] = None, fahrenheit: Optional[float] = None):
    """Converts a temperature: give one of the two, and get the other.

    Args:
        celsius: Degrees Celsius.
        fahrenheit: Degrees Fahrenheit.
    """
    if (celsius is None) == (fahrenheit is None):
        return False, "Give either celsius or fahrenheit."
    if celsius is not None:
        return True, {"fahrenheit": round(celsius * 9 / 5 + 32, 2)}
    return True, {"celsius": round((fahrenheit - 32) * 5 / 9, 2)}


def units_add_times(times: List[str]) -> str:
    """Adds up times such as 1:30 or 0:45, and tells the sum in hours and minutes.

    Args:
        times: The times, each as hours:minutes.
    """
    minutes = sum(int(hours) * 60 + int(rest) for hours, rest in (time.split(":") for time in times))
    return f"{minutes // 60}:{minutes % 60:02d}"


TOOLS = [units_length, units_temperature, units_add_times]
