"""Which format some bytes are in: by their content first, by the file's name only where contents look alike.

Knows signatures and structure; reads nothing beyond what telling the format needs.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import PurePath

from indexer.errors import Unreadable
from indexer.readers.captions import is_captions
from indexer.readers.code import LANGUAGES
from indexer.readers.encoding import decode
from indexer.readers.keyed_lines import FORMS

_BINARY = (
    (0, b"\x7fELF", "ELF program"),
    (0, b"\x89PNG\r\n\x1a\n", "PNG image"),
    (0, b"\xff\xd8\xff", "JPEG image"),
    (0, b"GIF87a", "GIF image"),
    (0, b"GIF89a", "GIF image"),
    (0, b"II*\0", "TIFF image"),
    (0, b"MM\0*", "TIFF image"),
    (0, b"RIFF", "RIFF media"),
    (4, b"ftyp", "MP4 media"),
    (0, b"ID3", "MP3 audio"),
    (0, b"OggS", "Ogg media"),
    (0, b"fLaC", "FLAC audio"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska media"),
    (0, b"\x1f\x8b", "gzip archive"),
    (0, b"BZh", "bzip2 archive"),
    (0, b"\xfd7zXZ\0", "xz archive"),
    (0, b"\x28\xb5\x2f\xfd", "zstd archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z archive"),
    (0, b"Rar!\x1a\x07", "RAR archive"),
    (257, b"ustar", "tar archive"),
    (0, b"SQLite format 3\0", "SQLite database"),
    (0, b"PAR1", "Parquet table"),
    (0, b"\x93NUMPY", "NumPy array"),
    (0, b"\0asm", "WebAssembly"),
    (0, b"\xca\xfe\xba\xbe", "program"),
    (0, b"\xcf\xfa\xed\xfe", "Mach-O program"),
    (0, b"wOFF", "font"),
    (0, b"wOF2", "font"),
    (0, b"\0\x01\0\0\0", "font"),
)
"""(offset, signature, what it is). Signatures made of letters alone count only where the rest is not text."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MEMBERS = (
    ("word/document.xml", "docx"),
    ("ppt/presentation.xml", "pptx"),
    ("xl/workbook.xml", "xlsx"),
    ("META-INF/container.xml", "epub"),
    ("content.xml", "odf"),
)
_NAMES = {
    ".md": "markdown", ".markdown": "markdown", ".mdown": "markdown", ".mdx": "markdown", ".qmd": "markdown",
    ".rmd": "markdown", ".rst": "rst", ".rest": "rst", ".html": "html", ".htm": "html", ".xhtml": "html",
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json",
    ".geojson": "json", ".ipynb": "notebook", ".eml": "mail", ".mbox": "mbox", ".log": "log", ".txt": "text",
    ".text": "text", ".org": "org", ".adoc": "asciidoc", ".asciidoc": "asciidoc", ".srt": "captions",
    ".vtt": "captions", **dict.fromkeys(LANGUAGES, "code"),
    ".tex": "latex", ".latex": "latex", **dict.fromkeys(FORMS, "keyed"),
    ".xml": "xml", ".rss": "xml", ".atom": "xml", ".opml": "xml", ".dita": "xml", ".fb2": "xml",
}  # fmt: skip
_HTML = re.compile(
    rb"\s{0,1000}(?:<\?xml[^>]{0,500}>\s{0,1000})?(?:<!--[^>]{0,2000}-->\s{0,100})?<(?:!doctype\s+html|html[\s>])", re.I
)
_MBOX = re.compile(rb"From \S{1,300} .{0,60}\d{4}.{0,40}\r?\n[A-Za-z-]{1,60}:")
_MAIL_HEADER = re.compile(rb"^(received|message-id|mime-version|return-path|from|to|subject|date):", re.I | re.M)
_CONTROL = bytes(set(range(32)) - set(b"\t\n\f\r\b\x1b"))


def detect(name: str, data: bytes) -> str:
    """Return the name of the format of `data`, one of the keys of the table of readers.

    Raises Unreadable for images, programs, archives and anything else that holds no text.
    """
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_format(data)
    if data.startswith(_OLE):
        raise Unreadable("encrypted" if _utf16("EncryptedPackage") in data else "binary (old Office format)")
    if _is_pdf(data):
        return "pdf"
    if data.startswith(b"{\\rtf"):
        return "rtf"
    _refuse_binary(data)
    return _text_format(name, data)


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _zip_format(data: bytes) -> str:
    try:
        names = set(zipfile.ZipFile(io.BytesIO(data)).namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, OverflowError) as error:
        raise Unreadable("damaged archive (zip)") from error
    for member, form in _MEMBERS:
        if member in names:
            return form
    raise Unreadable("archive (zip)")


def _is_pdf(data: bytes) -> bool:
    """Tell a PDF; readers accept junk before the header, but a text that merely speaks of "%PDF-" is a text."""
    if data[:64].lstrip(b"\xef\xbb\xbf\r\n\t \0").startswith(b"%PDF-"):
        return True
    return b"%PDF-" in data[:1024] and b"endobj" in data and b"%%EOF" in data[-2048:]


def _refuse_binary(data: bytes) -> None:
    sample = data[:65536] + data[len(data) // 2 :][:65536]
    looks_like_text = _looks_like_text(sample)
    for offset, signature, kind in _BINARY:
        if data.startswith(signature, offset) and not (looks_like_text and signature.isalnum()):
            raise Unreadable(f"binary ({kind})")
    if data[:2] == b"MZ" and not looks_like_text:
        raise Unreadable("binary (Windows program)")
    if not looks_like_text:
        raise Unreadable("binary")


def _looks_like_text(sample: bytes) -> bool:
    """Tell text by how rarely control characters occur: random bytes have one in nine."""
    if len(sample.translate(None, _CONTROL)) == len(sample):
        return True
    decoded = decode(sample[:8192])
    if decoded.encoding.startswith(("utf-16", "utf-32")):
        controls = sum(character < " " and character not in "\t\n\f\b\x1b" for character in decoded.text)
        return controls <= len(decoded.text) / 10
    controls = len(sample) - len(sample.translate(None, _CONTROL))
    return controls <= len(sample) / (10 if decoded.encoding == "utf-8" and not decoded.notes else 33)


def _text_format(name: str, data: bytes) -> str:
    head = data[:4096].removeprefix(b"\xef\xbb\xbf")
    by_name = _NAMES.get(PurePath(name).suffix.lower(), "")
    if _HTML.match(head):
        return "html"
    if b"<office:document " in head and b"urn:oasis:names:tc:opendocument" in head:
        return "odf"
    if by_name in ("", "text") and re.match(rb"\s{0,100}<\?xml\s", head):
        return "xml"
    if _MBOX.match(head):
        return "mbox"
    if by_name not in ("rst", "markdown", "code") and _is_mail(head, by_name):
        return "mail"
    if by_name in ("text", "") and is_captions(decode(head[:200]).text):
        return "captions"
    if by_name in ("json", "notebook", "") and head.lstrip()[:1] in (b"{", b"["):
        return _json_format(data, by_name)
    return by_name if by_name not in ("mail", "mbox", "notebook") else "text"


def _is_mail(head: bytes, by_name: str) -> bool:
    """Tell a mail by its headers; two of those that only mail programs write, unless the name says so too."""
    headers = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    if not re.match(rb"[A-Za-z][A-Za-z0-9-]{0,60}:", headers):
        return False
    found = {header.lower() for header in _MAIL_HEADER.findall(headers)}
    if by_name == "mail":
        return bool(found)
    return len(found) >= 3 and bool(found & {b"received", b"message-id", b"mime-version", b"return-path"})


def _json_format(data: bytes, by_name: str) -> str:
    if b'"nbformat"' in data and b'"cells"' in data:
        return "notebook"
    if by_name:
        return "json"
    try:
        json.loads(data)
        return "json"
    except (ValueError, RecursionError):
        return "text"
