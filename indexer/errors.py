"""The family of errors addressed to a person.

UserError                     something the user can mend: message, and a hint with what to type next
├── UsageError                a wrong option, name or query                        (exit 2)
├── NotFound                  no such collection, source or file
├── Unreadable                a source that gives no text: binary, encrypted, damaged, too large
├── Busy                      another process is writing                           (exit 75)
├── StorageError              disk full, read-only, I/O error; nothing was lost
│   └── Damaged               the truth itself does not read; restore or rebuild
├── SchemaMismatch            the database is newer, or is not ours
├── EncoderError              no such encoder, or its files are not what they should be
│   └── EncoderMismatch       the collection was made with another encoder
├── GeneratorError            no such generator, its files are not what they should be, or its endpoint does not answer
├── InvalidVectors            wrong shape, type, length or not finite: refused at the seam
└── ImportRefused             an export file that fails its own checks
"""

from __future__ import annotations


class UserError(Exception):
    """What happened, with values; `hint` says what to do next, as a command where there is one."""

    exit_code = 1
    kind = "refused"
    """The sort of error, for programs: `type` in JSON."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(UserError):
    """A wrong option, name or query."""

    exit_code = 2
    kind = "usage"


class NotFound(UserError):
    """No such collection, source or file."""

    kind = "not_found"


class Unreadable(UserError):
    """A source that gives no text. It is skipped and its reason recorded; the run goes on."""

    kind = "unreadable"

    @property
    def reason(self) -> str:
        """Why, in a few words without the source's own text: "encrypted", "binary (PNG image)"."""
        return self.message


class Busy(UserError):
    """Another process holds the writer's lock; 75 is EX_TEMPFAIL, so a script may try again."""

    exit_code = 75
    kind = "busy"


class StorageError(UserError):
    """The disk refused: full, read-only or failing. The last committed state still stands."""

    kind = "storage"


class Damaged(StorageError):
    """The database itself does not read."""

    kind = "damaged"


class SchemaMismatch(UserError):
    """The database was made by a newer version, or by another program."""

    kind = "schema"


class EncoderError(UserError):
    """No such encoder on this machine, or its files are not what their receipt says."""

    kind = "encoder"


class EncoderMismatch(EncoderError):
    """The collection was made with another encoder; vectors of two encoders are never mixed."""


class GeneratorError(UserError):
    """No such generator on this machine, its files are not what they should be, or its endpoint does not answer."""

    kind = "generator"


class InvalidVectors(UserError):
    """Vectors of a wrong shape, type or length, or with values that are not finite."""

    kind = "vectors"


class ImportRefused(UserError):
    """An export file that fails its own checks."""

    kind = "import"
