"""Stands in for systemd: prints each word that is said to the socket at the given path."""

import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as own:
    own.bind(sys.argv[1])
    print("bound", flush=True)
    while True:
        print(own.recv(4096).decode().replace("\n", " "), flush=True)
