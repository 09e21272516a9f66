// The schema, step by step. A step, once released, is never edited; a new one is added below it.
// Columns `…_at` are milliseconds since 1970. A document deleted is a row with `deleted_at`, out of
// the indices that find live ones.

enum Schema {
    /// 'Pnst': what tells a state of Penstock from any other database.
    static let applicationID = 0x506E_7374

    static let traffic = """
        CREATE TABLE traffic_override (
            service TEXT PRIMARY KEY NOT NULL,
            weights_json TEXT NOT NULL,
            file_fingerprint TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            generation INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE endpoint_drain (
            service TEXT NOT NULL,
            address TEXT NOT NULL,
            is_drained INTEGER NOT NULL,
            file_fingerprint TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            PRIMARY KEY (service, address)
        ) STRICT;
        CREATE TABLE setting (
            key TEXT PRIMARY KEY NOT NULL,
            value TEXT NOT NULL
        ) STRICT;
        CREATE TABLE change (
            id INTEGER PRIMARY KEY NOT NULL,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            detail_json TEXT NOT NULL
        ) STRICT;
        """

    static let documents = """
        CREATE TABLE counter (
            name TEXT PRIMARY KEY NOT NULL,
            value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE document (
            row INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            generation INTEGER NOT NULL,
            version INTEGER NOT NULL,
            labels TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            deleted_at INTEGER,
            spec TEXT NOT NULL,
            status TEXT
        ) STRICT;
        CREATE UNIQUE INDEX document_live ON document (kind, name) WHERE deleted_at IS NULL;
        CREATE INDEX document_created ON document (kind, id) WHERE deleted_at IS NULL;
        CREATE INDEX document_updated ON document (kind, version) WHERE deleted_at IS NULL;
        CREATE INDEX document_gone ON document (kind, name, deleted_at)
            WHERE deleted_at IS NOT NULL;
        CREATE TABLE document_count (
            kind TEXT PRIMARY KEY NOT NULL,
            live INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE change_log (
            sequence INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            change INTEGER NOT NULL,
            bytes INTEGER NOT NULL,
            id TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            generation INTEGER NOT NULL,
            version INTEGER NOT NULL,
            labels TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            deleted_at INTEGER,
            spec TEXT NOT NULL,
            status TEXT
        ) STRICT;
        CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            reason TEXT NOT NULL,
            message TEXT NOT NULL,
            actor TEXT NOT NULL,
            count INTEGER NOT NULL,
            first_at INTEGER NOT NULL,
            last_at INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX event_target ON event (kind, name, id);
        """

    static let trail = """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            at INTEGER NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            before_hash TEXT NOT NULL,
            after_hash TEXT NOT NULL,
            request_id TEXT NOT NULL,
            detail TEXT NOT NULL,
            previous_hash BLOB NOT NULL,
            hash BLOB NOT NULL
        ) STRICT;
        CREATE INDEX audit_target ON audit (kind, name, id);
        CREATE INDEX audit_actor ON audit (actor, id);
        CREATE TABLE idempotency (
            token TEXT NOT NULL,
            key TEXT NOT NULL,
            request_hash TEXT NOT NULL,
            is_done INTEGER NOT NULL,
            status INTEGER NOT NULL,
            headers TEXT NOT NULL,
            body BLOB NOT NULL,
            expires_at INTEGER NOT NULL,
            PRIMARY KEY (token, key)
        ) STRICT;
        CREATE INDEX idempotency_expiry ON idempotency (expires_at);
        CREATE TABLE token (
            id TEXT PRIMARY KEY NOT NULL,
            digest BLOB NOT NULL UNIQUE,
            grants TEXT NOT NULL,
            note TEXT NOT NULL,
            is_bootstrap INTEGER NOT NULL,
            created_at INTEGER NOT NULL,
            created_by TEXT NOT NULL,
            expires_at INTEGER,
            last_used_at INTEGER,
            revoked_at INTEGER
        ) STRICT;
        CREATE TABLE lease (
            name TEXT PRIMARY KEY NOT NULL,
            holder TEXT NOT NULL,
            token INTEGER NOT NULL,
            expires_at INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            topic TEXT NOT NULL,
            payload TEXT NOT NULL,
            created_at INTEGER NOT NULL,
            next_attempt_at INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            last_error TEXT NOT NULL,
            is_dead INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX outbox_due ON outbox (topic, is_dead, next_attempt_at);
        """
}
