"""What the supervisors keep running: listens on the port that it is given, and answers each connection with its pid."""
import os
import signal
import socket
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1])))
listener.listen(16)
while True:
    connection, _ = listener.accept()
    try:
        connection.sendall(str(os.getpid()).encode())
    except OSError:
        pass
    connection.close()
