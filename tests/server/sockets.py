"""Requests as bytes, for what no client would send."""

import socket
from contextlib import suppress


def connect(url, timeout_s=30):
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout_s)


def answer(connection):
    """Everything that is answered until the server ends the connection."""
    got = b""
    with suppress(OSError):
        while piece := connection.recv(2**16):
            got += piece
    return got


def say(url, *pieces):
    """Send pieces on a connection of their own; what is answered until it ends."""
    with connect(url) as connection:
        with suppress(OSError):
            for piece in pieces:
                connection.sendall(piece)
        return answer(connection)
