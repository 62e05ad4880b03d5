"""Messages to and from Luna: a line of JSON each."""

import json
import os
import sys
import threading


class Pipe:
    """What Luna gave as standard input and output, out of reach of what tools read and print."""

    @staticmethod
    def take_over_standard_streams():
        # Copies are not inherited by programs that a tool starts. What they print goes to standard error, as prints do.
        incoming, outgoing = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        # Each line comes out at once, and whole: threads print at the same time.
        sys.stdout.reconfigure(line_buffering=True)
        return Pipe(open(incoming, "rb"), open(outgoing, "wb"))

    def __init__(self, incoming, outgoing):
        self._incoming = incoming
        self._outgoing = outgoing
        self._lock = threading.Lock()

    def receive(self):
        """The next message, or None when the other end has closed."""
        line = self._incoming.readline()
        return json.loads(line) if line else None

    def send(self, message):
        self.send_text(json.dumps(message))

    def send_text(self, text):
        data = text.encode("ascii") + b"\n"
        with self._lock:
            try:
                self._outgoing.write(data)
                self._outgoing.flush()
            except BrokenPipeError:
                os._exit(0)
