"""How a database of ours is told from a stranger's, and an older one from a newer: read by all that open one."""

APPLICATION_ID = 0x464E4F54  # "FNOT", in SQLite's header, so that a stranger's database is told from ours
REVISION = "0005"
"""The newest migration; a database that says otherwise is migrated (older) or refused (newer)."""
