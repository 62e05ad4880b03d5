"""Runs calls side by side: a thread for each plain function, a task on the loop for each async one."""

import asyncio
import ctypes
import inspect
import json
import sys
import threading
import traceback

from .arguments import Mismatch
from .json_values import to_json
from .secrets_in_errors import without_secrets


class Cancelled(BaseException):
    """Raised within a function whose call was cancelled."""


class Calls:
    def __init__(self, tools, loop, pipe, result_limit):
        self._tools = tools
        self._loop = loop
        self._pipe = pipe
        self._result_limit = result_limit
        self._lock = threading.Lock()
        self._running = {}  # id -> how to cancel it
        self._tasks = {}  # of the loop, which alone touches them

    def begin(self, id, name, args):
        tool = self._tools.get(name)
        if tool is None:
            self._answer(id, {"error": f'There is no tool "{name}" here.'})
        elif inspect.iscoroutinefunction(tool.function):
            with self._lock:
                self._running[id] = lambda: self._loop.call_soon_threadsafe(self._cancel_task, id)
            self._loop.call_soon_threadsafe(self._begin_task, id, tool, args)
        else:
            thread = threading.Thread(target=self._run_in_thread, args=(id, tool, args), daemon=True)
            with self._lock:
                self._running[id] = lambda: _raise_in(thread)
            thread.start()

    def cancel(self, id):
        with self._lock:
            cancel = self._running.get(id)
            if cancel is not None:
                cancel()

    def _begin_task(self, id, tool, args):
        self._tasks[id] = self._loop.create_task(self._run_in_task(id, tool, args))

    def _cancel_task(self, id):
        task = self._tasks.get(id)
        if task is not None:
            task.cancel()

    async def _run_in_task(self, id, tool, args):
        try:
            outcome = self._outcome(await tool.call(args))
        except BaseException as thrown:
            outcome = self._failure(tool, args, thrown)
        self._tasks.pop(id, None)
        self._end(id, outcome)

    def _run_in_thread(self, id, tool, args):
        try:
            try:
                returned = tool.call(args)
                if inspect.isawaitable(returned):
                    returned = asyncio.run(_await(returned))
                outcome = self._outcome(returned)
            except BaseException as thrown:
                outcome = self._failure(tool, args, thrown)
            self._end(id, outcome)
        except Cancelled:
            # It came when the function had just ended. A second answer is passed over.
            with self._lock:
                self._running.pop(id, None)
            self._answer(id, {"cancelled": True})

    def _outcome(self, returned):
        outcome = {}
        if isinstance(returned, tuple) and len(returned) == 2 and isinstance(returned[0], bool):
            outcome["ok"], returned = returned
        outcome["value"] = returned
        text = json.dumps(outcome, default=to_json, allow_nan=False)
        if len(text) > self._result_limit:
            size = f"{len(text)} bytes; the limit is {self._result_limit}"
            return {"error": f"The result is too large: {size}. Return less, or write a file and return its path."}
        return text

    def _failure(self, tool, args, thrown):
        if isinstance(thrown, (Cancelled, asyncio.CancelledError)):
            return {"cancelled": True}
        if isinstance(thrown, Mismatch):
            return {"error": f"The arguments of {tool.name} do not fit: {thrown}"}
        told = "".join(traceback.format_exception(type(thrown), thrown, thrown.__traceback__))
        print(without_secrets(told, args), end="", file=sys.stderr, flush=True)
        said = f"{type(thrown).__name__}: {thrown}" if str(thrown) else type(thrown).__name__
        return {"error": f"{tool.name} failed: {said}"}

    def _end(self, id, outcome):
        with self._lock:
            if self._running.pop(id, None) is None:
                return
        self._answer(id, outcome)

    def _answer(self, id, outcome):
        text = outcome if isinstance(outcome, str) else json.dumps(outcome)
        self._pipe.send_text(f'{{"type":"result","id":{id},"outcome":{text}}}')


async def _await(awaitable):
    return await awaitable


def _raise_in(thread):
    """Raises Cancelled in a thread, as soon as it runs Python code again."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Cancelled))
