"""What every plugin in Python needs: settings from JSON, and exceptions as errors with words.

Everything is imported here or at the top of plugin.py: inside of a running component nothing can be imported any more.
"""

import dataclasses
import functools
import json
import typing

from componentize_py_types import Err
from wit_world.imports import types

# The functions of the contract that may answer with an error.
FUNCTIONS = ("configure", "build", "parse", "evaluate", "judge", "detect")

JSON_TYPES = {float: "number", int: "integer", str: "string", bool: "boolean"}


class Unsupported(Exception):
    """The request asks for something that the format does not offer."""


class Malformed(Exception):
    """The input is not what it must be."""


class ServerError(Exception):
    """The server reported a failure inside of an answer."""


ERRORS = (
    (Unsupported, types.Error_Unsupported),
    (Malformed, types.Error_Malformed),
    (ServerError, types.Error_Server),
    (json.JSONDecodeError, types.Error_Malformed),
    (UnicodeDecodeError, types.Error_Malformed),
)


@dataclasses.dataclass
class NoSettings:
    """For plugins without settings."""


class Plugin:
    """A plugin: `name`, `version`, `summary`, and a dataclass `Settings` whose fields all have defaults."""

    name = ""
    version = "0.1.0"
    summary = ""
    Settings = NoSettings

    def __init_subclass__(cls):
        for function in FUNCTIONS:
            if hasattr(cls, function):
                setattr(cls, function, _with_words(getattr(cls, function)))

    def describe(self):
        return types.PluginInfo(self.name, self.version, self.summary, json.dumps(_schema(self.Settings)))

    def configure(self, settings):
        # Each call has an object of its own; the class is what they share.
        type(self).settings = _read(self.Settings, settings)
        return self.info()

    def info(self):
        """What `configure` answers; criteria and detectors have nothing to say."""
        return None


def _with_words(function):
    """An exception that leaves a component stops it without a word; an error reaches the user."""

    @functools.wraps(function)
    def guarded(*arguments):
        try:
            return function(*arguments)
        except Err:
            raise
        except Exception as error:
            case = next((case for kind, case in ERRORS if isinstance(error, kind)), types.Error_Other)
            message = str(error) if case is not types.Error_Other else f"{type(error).__name__}: {error}"
        raise Err(case(message))

    return guarded


def _schema(settings):
    hints = typing.get_type_hints(settings)
    properties = {
        field.name: {"type": JSON_TYPES[hints[field.name]], "default": field.default}
        for field in dataclasses.fields(settings)
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _read(settings, text):
    values = json.loads(text)
    hints = typing.get_type_hints(settings)
    for key, value in values.items():
        if key not in hints:
            raise Err(types.Error_InvalidSettings(f"unknown setting '{key}'"))
        wanted = hints[key]
        if wanted is float and type(value) is int:
            values[key] = float(value)
        elif type(value) is not wanted:
            kind = JSON_TYPES[wanted]
            raise Err(types.Error_InvalidSettings(f"'{key}' is {json.dumps(value)}, but must be a {kind}"))
    return settings(**values)


def measurement(point, key):
    """The measurement of a point with this key of the sweep file, such as `ttft_p99_ms`, or none."""
    return next((measurement for measurement in point.measurements if measurement.key == key), None)
