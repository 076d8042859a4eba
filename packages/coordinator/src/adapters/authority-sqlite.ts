// Tokens in the state directory, in a small SQLite file of their own (`tokens.sqlite`, readable by its owner alone).
//
// Why SQLite and not a text file: the command line makes and revokes tokens on the same machine while a coordinator runs
// or while none does, and the coordinator must see that at its next request, not at its next start. SQLite's locks and
// its write-ahead log give both. What always holds:
//   - a token that was created or revoked is on disk when the promise resolves, and holds from then on in every process;
//   - when a token was last used is written at most once a minute, without a sync, and may lose its last minute;
//   - secrets are never stored (see token-secret.ts).
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AssayError, type Scope, type TokenCreated, type TokenId, type TokenView } from '@assay/protocol';
import { isSecret, newSecret, tokenOf } from '../authority/token-secret.ts';
import type { Authority, Identity } from '../ports/authority.ts';

export type StoredAuthority = Authority & {
  /** Writes what is known of last uses, and lets the file go. */
  close(): void;
};

type TokenRow = {
  token: TokenId;
  name: string;
  scopes: string;
  hash: Uint8Array;
  created_at_ms: number;
  last_used_at_ms: number | null;
  is_revoked: number;
};

const schemaVersion = 1;
const usesWrittenEveryMs = 60_000;
/** How long another process may hold the file: its writes take milliseconds. */
const lockedMaxMs = 5_000;

/** Opens or makes the tokens of a state directory. TOKENS_UNAVAILABLE where they cannot be opened, or are of a newer version. */
export function openAuthority(stateDirectory: string, nowMs: () => number = Date.now): StoredAuthority {
  const path = join(stateDirectory, 'tokens.sqlite');
  try {
    mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
    closeSync(openSync(path, 'a', 0o600));
    chmodSync(path, 0o600);
    return new SqliteAuthority(open(path), nowMs);
  } catch (error) {
    throw error instanceof AssayError ? error : unavailable(path, error);
  }
}

class SqliteAuthority implements StoredAuthority {
  readonly #db: DatabaseSync;
  readonly #nowMs: () => number;
  readonly #find;
  readonly #any;
  /** Uses that are not written yet. */
  readonly #uses = new Map<TokenId, number>();
  readonly #timer: NodeJS.Timeout;

  constructor(db: DatabaseSync, nowMs: () => number) {
    this.#db = db;
    this.#nowMs = nowMs;
    this.#find = db.prepare('SELECT * FROM tokens WHERE token = ?');
    this.#any = db.prepare('SELECT EXISTS (SELECT 1 FROM tokens WHERE is_revoked = 0) AS has');
    this.#timer = setInterval(() => this.#writeUses(), usesWrittenEveryMs).unref();
  }

  authenticate(secret: string): Identity | null {
    const id = tokenOf(secret);
    const row = id === null ? undefined : (this.#find.get(id) as TokenRow | undefined);
    if (!isSecret(secret, row?.hash ?? null) || !row || row.is_revoked !== 0) return null;
    this.#uses.set(row.token, this.#nowMs());
    return { token: row.token, name: row.name, scopes: JSON.parse(row.scopes) as Scope[] };
  }

  async create(name: string, scopes: Scope[]): Promise<TokenCreated> {
    const { token, secret, hash } = newSecret();
    const createdAtMs = this.#nowMs();
    this.#db
      .prepare('INSERT INTO tokens (token, name, scopes, hash, created_at_ms) VALUES (?, ?, ?, ?, ?)')
      .run(token, name, JSON.stringify(scopes), hash, createdAtMs);
    return { token: { token, name, scopes, createdAtMs, lastUsedAtMs: null, isRevoked: false }, secret };
  }

  async list(): Promise<TokenView[]> {
    const rows = this.#db.prepare('SELECT * FROM tokens ORDER BY created_at_ms, token').all() as unknown as TokenRow[];
    return rows.map((row) => ({
      token: row.token,
      name: row.name,
      scopes: JSON.parse(row.scopes) as Scope[],
      createdAtMs: row.created_at_ms,
      lastUsedAtMs: this.#uses.get(row.token) ?? row.last_used_at_ms,
      isRevoked: row.is_revoked !== 0,
    }));
  }

  async revoke(token: string): Promise<boolean> {
    return this.#db.prepare('UPDATE tokens SET is_revoked = 1 WHERE token = ?').run(token).changes > 0;
  }

  hasTokens(): boolean {
    return (this.#any.get() as { has: number }).has !== 0;
  }

  close(): void {
    if (!this.#db.isOpen) return;
    clearInterval(this.#timer);
    this.#writeUses();
    this.#db.close();
  }

  #writeUses(): void {
    if (this.#uses.size === 0) return;
    try {
      // In write-ahead mode NORMAL does not wait for the disk: the loop is not held up for what may be lost.
      this.#db.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE');
      const write = this.#db.prepare('UPDATE tokens SET last_used_at_ms = ? WHERE token = ?');
      for (const [token, atMs] of this.#uses) write.run(atMs, token);
      this.#db.exec('COMMIT');
      this.#uses.clear();
    } catch {
      // A locked file or a full disk: they are written with the next ones.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } finally {
      this.#db.exec('PRAGMA synchronous = FULL');
    }
  }
}

function open(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: lockedMaxMs });
  try {
    const version = (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
    if (version > schemaVersion) {
      throw unavailable(path, `a newer version wrote it (schema ${version}, this version knows ${schemaVersion})`);
    }
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS tokens (
        token TEXT PRIMARY KEY, name TEXT NOT NULL, scopes TEXT NOT NULL, hash BLOB NOT NULL, created_at_ms REAL NOT NULL,
        last_used_at_ms REAL, is_revoked INTEGER NOT NULL DEFAULT 0
      ) STRICT, WITHOUT ROWID;
      PRAGMA user_version = ${schemaVersion};
    `);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function unavailable(path: string, cause: unknown): AssayError {
  return new AssayError(
    'TOKENS_UNAVAILABLE',
    `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    undefined,
    cause,
  );
}
