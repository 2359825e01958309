"""Zip containers judged by their central directory alone, before a byte of them is unpacked.

Knows nothing about the formats inside; members are only ever read into memory, never onto the disk.
"""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import PurePosixPath

from indexer.errors import Unreadable

MAX_MEMBERS = 2_000
MAX_BYTES = 200_000_000
"""Unpacked size of all members together."""
MAX_RATIO = 100
"""Unpacked to packed size, of the whole and of each member over `_SMALL` bytes."""
_SMALL = 1_000_000
_ENCRYPTED = 0x1


def open_archive(data: bytes) -> zipfile.ZipFile:
    """Return the archive in `data`, its directory checked.

    Raises Unreadable for what is no zip or has too many members, too large or too densely packed
    ones, encrypted or doubled members, links, or names that lead out of the archive.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        raise Unreadable("damaged archive (zip)") from error
    members = archive.infolist()
    if len(members) > MAX_MEMBERS:
        raise Unreadable(f"archive of {len(members):,} members; the limit is {MAX_MEMBERS:,}")
    for member in members:
        _check_member(member)
    if len({member.filename for member in members}) < len(members):
        raise Unreadable("archive with two members of one name")
    unpacked = sum(member.file_size for member in members)
    if unpacked > MAX_BYTES:
        raise Unreadable(f"archive of {unpacked / 1e6:,.0f} MB unpacked; the limit is {MAX_BYTES / 1e6:,.0f} MB")
    if unpacked > _SMALL and unpacked > MAX_RATIO * len(data):
        raise Unreadable(f"archive packed more than {MAX_RATIO} to 1")
    return archive


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Return one member's bytes, never more than its directory entry announced.

    Raises Unreadable when the member is missing or damaged.
    """
    try:
        size = archive.getinfo(name).file_size
        with archive.open(name) as member:
            content = member.read(size + 1)
    except (KeyError, zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError) as error:
        raise Unreadable("damaged archive (zip)") from error
    except Exception as error:  # zlib.error, lzma.LZMAError: each codec has its own
        raise Unreadable("damaged archive (zip)") from error
    if len(content) > size:
        raise Unreadable("archive whose directory lies about a size")
    return content


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in PurePosixPath(name).parts or "\0" in name:
        raise Unreadable("archive with a name that leads out of it")
    if member.flag_bits & _ENCRYPTED:
        raise Unreadable("encrypted")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Unreadable("archive with a symbolic link")
    if member.file_size > _SMALL and member.file_size > MAX_RATIO * max(member.compress_size, 1):
        raise Unreadable(f"archive packed more than {MAX_RATIO} to 1")
