"""What the journals hold: that of the watched folders, and that of the photos that programs send.

A row a source path and output folder; `sha256` says for which content it stands, and a path whose
content changes begins anew.
"""

from photocloak.plugin.storage.database import Schema

SCHEMA = (
    """
    -- The latest daemon of each output folder. Whether it lives, the lock on the folder tells.
    CREATE TABLE daemons (
        output BLOB PRIMARY KEY,
        pid INTEGER NOT NULL,
        folders TEXT NOT NULL,
        started REAL NOT NULL,
        trouble TEXT
    ) STRICT
    """,
    """
    -- Paths are absolute and as the file system knows them, which need not be UTF-8.
    CREATE TABLE photos (
        output BLOB NOT NULL,
        source BLOB NOT NULL,
        below BLOB NOT NULL,
        signature TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        state TEXT NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        -- Hashes of what had been made of the source before the work began.
        before TEXT NOT NULL DEFAULT '[]',
        mode TEXT,
        preset TEXT,
        no_face TEXT,
        -- The setting `faces`; `faces` here is what was measured.
        whose TEXT,
        status TEXT,
        reason TEXT,
        faces TEXT NOT NULL DEFAULT '[]',
        made BLOB,
        made_sha256 TEXT,
        seconds REAL,
        finished REAL,
        -- The monotonic clock when it was finished, for the rate.
        ticks REAL,
        -- Counts the finished photos: their order, whatever the clock says.
        number INTEGER,
        PRIMARY KEY (output, source)
    ) STRICT
    """,
    "CREATE INDEX photos_state ON photos (output, state, tries)",
    "CREATE INDEX photos_sha256 ON photos (sha256)",
    "CREATE INDEX photos_number ON photos (number)",
)

ASKED = (
    # What was asked for this photo alone, by the names of the settings, and `person`.
    "ALTER TABLE photos ADD COLUMN asked TEXT NOT NULL DEFAULT '{}'",
    # As in `--json`, where it is known.
    "ALTER TABLE photos ADD COLUMN discloses TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE photos ADD COLUMN content TEXT",
)

JOURNAL = Schema(
    (SCHEMA, ASKED),
    "the journal of the watched folders",
    "every photo in the watched folders is then done again, in the place of its earlier output",
)

RECEIVED = Schema(
    (SCHEMA, ASKED),
    "the journal of the photos that programs have sent",
    "programs have to send those again that were not done",
)
