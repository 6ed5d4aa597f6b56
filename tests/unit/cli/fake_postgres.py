"""What a PostgreSQL says to who wants in: as much of its protocol as a refusal needs (PostgreSQL manual, 53.7)."""

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread

_TLS_WANTED = 80877103

Answer = Callable[[socket.socket], object]


@contextmanager
def refusing(state: str, words: str, *, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """A port where every login is answered by an error; with `tls`, behind its certificate. For the block."""

    def refuse(connection: socket.socket) -> None:
        code, _ = _message(connection)
        if code == _TLS_WANTED:
            connection.sendall(b"S" if tls else b"N")
            if tls:
                connection = tls.wrap_socket(connection, server_side=True)
            _message(connection)
        fields = b"".join(
            kind + value.encode() + b"\0" for kind, value in ((b"S", "FATAL"), (b"C", state), (b"M", words))
        )
        connection.sendall(b"E" + struct.pack("!i", len(fields) + 5) + fields + b"\0")

    with listening(refuse) as port:
        yield port


@contextmanager
def listening(answer: Answer) -> Iterator[int]:
    """A port where `answer` is given each connection, for the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(OSError, struct.error):
                    answer(connection)

        Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def _message(connection: socket.socket) -> tuple[int, bytes]:
    """The first of a connection, which has no type: its code and its content."""
    length, code = struct.unpack("!ii", _read(connection, 8))
    return code, _read(connection, length - 8)


def _read(connection: socket.socket, most: int) -> bytes:
    """All of it, but for a connection that ends. (A TLS socket knows no MSG_WAITALL.)"""
    read = b""
    while len(read) < most and (more := connection.recv(most - len(read))):
        read += more
    return read
