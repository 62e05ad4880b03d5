"""Starts the host of an extension's Python tools. Luna runs this; it needs nothing but Python 3.9 or later."""

import sys

from luna_host.main import main

# The folder of this file is on the path so that the host is found. Tools shall find only what is theirs.
del sys.path[0]

main()
