"""Pictures for tests, made without a library."""

from __future__ import annotations

import struct
import zlib


def picture(width: int, height: int, grey: int = 240) -> bytes:
    """Return a PNG of one grey (ISO 15948: signature, header, one stream of rows, end)."""
    rows = (b"\x00" + bytes([grey]) * width) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
