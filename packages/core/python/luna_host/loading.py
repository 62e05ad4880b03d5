"""Imports tool files and describes their tools."""

import importlib.machinery
import importlib.util
import os
import sys
import traceback

from .tool import Tool


class ToolFileError(Exception):
    """A tool file that loads, but does not say what it must."""


class _Loader(importlib.machinery.SourceFileLoader):
    """Always reads the source: a compiled copy may be older than a file that was saved within the same second."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def load_files(files):
    """The tools by name and the prompts of all files."""
    tools = {}
    prompts = []
    for file in files:
        module = _import(file)
        functions = getattr(module, "TOOLS", None)
        if not isinstance(functions, (list, tuple)):
            raise ToolFileError(f"{file}: set TOOLS to a list of functions.")
        for index, function in enumerate(functions):
            if not callable(function) or isinstance(function, type) or not hasattr(function, "__name__"):
                raise ToolFileError(f"{file}: TOOLS[{index}] is not a function.")
            tool = Tool(function)
            if tool.name in tools:
                raise ToolFileError(f'{file}: a second tool is named "{tool.name}".')
            tools[tool.name] = tool
        prompt = getattr(module, "SYSTEM_PROMPT", None)
        if isinstance(prompt, str) and prompt.strip():
            prompts.append(prompt)
    return tools, prompts


def _import(file):
    name = os.path.splitext(os.path.basename(file))[0]
    spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file))
    module = importlib.util.module_from_spec(spec)
    # Dataclasses, pickle and type hints look a module up by its name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def describe_failure(thrown, folder):
    """What went wrong as `file:line: message`, and the name of a module that is missing."""
    missing = thrown.name if isinstance(thrown, ModuleNotFoundError) else None
    if isinstance(thrown, ToolFileError):
        return str(thrown), missing
    if isinstance(thrown, SyntaxError) and thrown.filename:
        return f"{thrown.filename}:{thrown.lineno}: {thrown.msg}", missing
    said = f"{type(thrown).__name__}: {thrown}" if str(thrown) else type(thrown).__name__
    places = [frame for frame in traceback.extract_tb(thrown.__traceback__) if _is_within(frame.filename, folder)]
    if not places:
        return said, missing
    return f"{places[-1].filename}:{places[-1].lineno}: {said}", missing


def _is_within(file, folder):
    return os.path.abspath(file).startswith(folder + os.sep) and f"{os.sep}.venv{os.sep}" not in file
