"""The SASL exchange of a Kafka client, byte by byte: what the broker says to a token, at once.

A client library retries for seconds and then says only that it could not connect.
"""

import socket
import struct

_HANDSHAKE = 17
_AUTHENTICATE = 36
_VERSION = 1


def accepts(address: str, token: str) -> bool:
    """Whether the listener at `host:port` lets a client in with this bearer token."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        mechanism = b"OAUTHBEARER"
        answer = _ask(connection, _HANDSHAKE, struct.pack(">h", len(mechanism)) + mechanism)
        assert answer[:2] == b"\0\0", "the listener offers OAUTHBEARER"
        message = f"n,,\x01auth=Bearer {token}\x01\x01".encode()
        answer = _ask(connection, _AUTHENTICATE, struct.pack(">i", len(message)) + message)
    error, said = _authentication(answer)
    return error == 0 and said == b""


def _ask(connection: socket.socket, key: int, body: bytes) -> bytes:
    """Send one request and return its answer without the correlation id; empty when hung up on."""
    client = b"test"
    header = struct.pack(">hhih", key, _VERSION, 1, len(client)) + client
    connection.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
    size = _read(connection, 4)
    return _read(connection, struct.unpack(">i", size)[0])[4:] if size else b""


def _read(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            return b""
        received += part
    return received


def _authentication(answer: bytes) -> tuple[int, bytes]:
    """Return the error code and the bytes for the client; a refusal may be either."""
    if not answer:
        return -1, b""
    error, length = struct.unpack_from(">hh", answer)
    at = 4 + max(length, 0)
    (size,) = struct.unpack_from(">i", answer, at)
    return error, answer[at + 4 : at + 4 + max(size, 0)]
