"""Loads tool files once, then runs calls until the pipe to Luna closes."""

import asyncio
import os
import sys
import threading

from .calls import Calls
from .loading import describe_failure, load_files
from .pipe import Pipe


def main():
    pipe = Pipe.take_over_standard_streams()
    task = pipe.receive()
    if task is None:
        return
    sys.path[0:0] = [os.path.join(task["folder"], "tools"), task["folder"]]
    # A file may say "from extensions.<name> import …"; what the system has wins over the folders of a home.
    sys.path.append(os.path.dirname(os.path.dirname(task["folder"])))
    try:
        tools, prompts = load_files(task["files"])
    except BaseException as thrown:  # a file may also call sys.exit()
        message, missing = describe_failure(thrown, task["folder"])
        pipe.send({"type": "load-failed", "message": message, "missingModule": missing})
        return
    described = [tool.description for tool in tools.values()]
    pipe.send({"type": "loaded", "tools": described, "systemPrompt": "\n\n".join(prompts) or None})

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    calls = Calls(tools, loop, pipe, task["resultLimitBytes"])
    threading.Thread(target=_listen, args=(pipe, calls, loop), daemon=True).start()
    loop.run_forever()


def _listen(pipe, calls, loop):
    while True:
        message = pipe.receive()
        if message is None:
            # Luna has gone. Threads of tools must not keep the process.
            os._exit(0)
        if message["type"] == "call":
            calls.begin(message["id"], message["name"], message["args"])
        elif message["type"] == "cancel":
            calls.cancel(message["id"])
        elif message["type"] == "ping":
            # Answered by the loop, so that the answer tells that the loop is free.
            loop.call_soon_threadsafe(pipe.send, {"type": "pong"})
