/**
 * The SQL of the PostgreSQL output, as the stand-in of a server understands it: the statements that the output writes, and no others. A
 * statement that it does not know is a mistake of ours, and no answer of a server.
 */
import { assert } from "../../base/assert.ts"
import { fieldsOfLine } from "../../connectors/postgres/copy-encoder.ts"
import type { ServerRefusal, ServerSession, StoredTable, TableRow, TableServer } from "./table-server.ts"

/** The rows of one statement, of which `pg` gives numbers as numbers. */
type Answer = readonly Readonly<Record<string, unknown>>[]

/** What came of statements: rows of each, a refusal, or that a lock is another's. */
export type Execution = readonly Answer[] | ServerRefusal | "locked"

interface Statement {
  readonly server: TableServer
  readonly session: ServerSession
  readonly sql: string
  readonly match: RegExpExecArray
}

const MARKERS = '"public"."tidemark_outputs"'

/** Runs statements with `;` between them, as far as they are taken. */
export function execute(server: TableServer, session: ServerSession, sql: string): Execution {
  const answers: Answer[] = []
  for (const statement of statementsOf(sql)) {
    const answer = executeOne(server, session, statement)
    if (!Array.isArray(answer)) {
      if (session.transaction !== undefined && answer !== "locked") session.transaction.isBroken = true
      if (answer === "locked") server.rollback(session)
      return answer as Execution
    }
    answers.push(answer as Answer)
  }
  return answers
}

/** Runs a COPY with these bytes. */
export function copyIn(server: TableServer, session: ServerSession, sql: string, bytes: Uint8Array): Execution {
  const [, into, list] = /^COPY (\S+) \((.*)\) FROM STDIN$/.exec(sql) ?? []
  assert(into !== undefined && list !== undefined, `the stand-in knows no such COPY: ${sql}`)
  const { transaction } = session
  assert(transaction !== undefined, "rows are copied within a transaction")
  const names = namesOf(list)
  const lines = new TextDecoder().decode(bytes).split("\n").slice(0, -1)
  const rows = lines.map((line) => {
    const fields = fieldsOfLine(line)
    return Object.fromEntries(names.map((name, index) => [name, fields[index] ?? null]))
  })
  if (into.startsWith("pg_temp.")) {
    session.incoming = [...session.incoming, ...rows]
    return []
  }
  const wrong = rows.findIndex((row) => server.refuses(row))
  if (wrong >= 0) {
    transaction.isBroken = true
    return refusedRow(into, `COPY ${into}, line ${wrong + 1}`)
  }
  transaction.changes.push(() => change(server, into, (stored) => [...stored, ...rows]))
  return []
}

function executeOne(server: TableServer, session: ServerSession, sql: string): Answer | ServerRefusal | "locked" {
  const { transaction } = session
  if (transaction?.isBroken === true && !/^ROLLBACK/.test(sql)) {
    return { code: "25P02", message: "current transaction is aborted" }
  }
  for (const [pattern, perform] of STATEMENTS) {
    const match = pattern.exec(sql)
    if (match !== null) return perform({ server, session, sql, match }) ?? []
  }
  assert(false, `the stand-in knows no such statement: ${sql}`)
}

type Performs = (statement: Statement) => Answer | ServerRefusal | "locked" | void

const STATEMENTS: readonly (readonly [RegExp, Performs])[] = [
  [/^SET /, () => undefined],
  [/^SELECT set_config/, () => undefined],
  [/^SELECT current_schema/, () => [{ name: "public" }]],
  [/^SELECT EXISTS \(SELECT FROM pg_namespace/, () => [{ is_there: true }]],
  [/^SELECT has_/, () => [{ is_granted: true, user: "tidemark" }]],
  [
    /^SELECT pg_try_advisory_lock\(hashtextextended\('([^']*)'/,
    ({ server, session, match }) => [{ is_taken: server.lock(session, `lock ${match[1]}`) }],
  ],
  [
    /^SELECT to_regclass\(format\('%I.%I', '([^']*)', '([^']*)'\)\)/,
    ({ server, match }) => [{ is_there: server.tables.has(`"${match[1]}"."${match[2]}"`) }],
  ],
  [
    /^SELECT job, state.* WHERE table_name = '([^']*)'( FOR UPDATE)?/s,
    ({ server, session, match }) => {
      const [, name, forUpdate] = match
      if (forUpdate !== undefined && !server.lock(session, `row ${name}`)) return "locked"
      return server.tables.get(MARKERS)!.rows.filter((row) => row["table_name"] === name)
    },
  ],
  [/FROM pg_class c JOIN.* WHERE n\.nspname = '([^']*)' AND c\.relname = '([^']*)'/s, describeTable],
  [/^CREATE TEMPORARY TABLE tidemark_incoming/, () => undefined],
  [/^CREATE TABLE (\S+) \((.*)\)$/s, createTable],
  [/^BEGIN/, ({ server, session }) => server.begin(session)],
  [/^COMMIT/, ({ server, session }) => server.commit(session)],
  [/^SAVEPOINT (\S+)/, setSavepoint],
  [/^RELEASE SAVEPOINT (\S+)/, ({ session }) => void session.transaction!.savepoints.pop()],
  [/^ROLLBACK TO SAVEPOINT (\S+)/, returnToSavepoint],
  [/^ROLLBACK/, ({ server, session }) => server.rollback(session)],
  [/^TRUNCATE pg_temp/, ({ session }) => void (session.incoming = [])],
  [/^UPDATE "public"."tidemark_outputs" SET/, moveMarker],
  [/^INSERT INTO (\S+)\s+\((.*?)\)\s+VALUES \((.*?)\)(?:\s+ON CONFLICT.*)?$/s, insertRow],
  [/^WITH latest AS .* INSERT INTO (\S+) \((.*?)\) SELECT .*ON CONFLICT \((.*?)\) DO/s, mergeIncoming],
]

function describeTable({ server, match }: Statement): Answer {
  const table = server.tables.get(`"${match[1]}"."${match[2]}"`)
  if (table === undefined) return []
  const columns = table.columns.map(({ name, type, isRequired }) => ({
    ...{ name, type, isRequired, category: CATEGORIES[type] ?? "N", modifier: -1, isGenerated: false },
  }))
  const uniques = table.key.length === 0 ? [] : [table.key]
  return [{ kind: "r", columns: JSON.stringify(columns), uniques: JSON.stringify(uniques) }]
}

const CATEGORIES: Readonly<Record<string, string>> = { text: "S", boolean: "B", "timestamp with time zone": "D" }

function createTable({ server, session, match }: Statement): void {
  const [, name, body] = match
  const key = namesOf(/PRIMARY KEY \((".*?)\)/.exec(body!)?.[1] ?? "")
  const columns = [...body!.matchAll(/"([^"]+)" ([a-z ]+?)( NOT NULL)?(?=,|$)/g)].map(([, column, type, required]) => ({
    ...{ name: column!, type: type!, isRequired: required !== undefined },
  }))
  const create = (): void => void server.tables.set(name!, { columns, key, rows: [] })
  if (session.transaction === undefined) create()
  else session.transaction.changes.push(create)
}

function setSavepoint({ session, match }: Statement): void {
  const { changes, savepoints } = session.transaction!
  savepoints.push({ name: match[1]!, changes: changes.length, incoming: session.incoming })
}

function returnToSavepoint({ session }: Statement): void {
  const transaction = session.transaction!
  const savepoint = transaction.savepoints.at(-1)
  assert(savepoint !== undefined, "a savepoint was set before")
  transaction.changes.length = savepoint.changes
  transaction.isBroken = false
  session.incoming = savepoint.incoming
}

function insertRow({ server, session, match }: Statement): void {
  const [, table, columns, values] = match
  const names = columns!.split(",").map((name) => name.trim())
  const found = literalsOf(values!)
  const row = Object.fromEntries(names.map((name, index) => [name, found[index] ?? null]))
  const isMarker = table === MARKERS
  session.transaction!.changes.push(() =>
    change(server, table!, (rows) => {
      const others = rows.filter((other) => !isMarker || other["table_name"] !== row["table_name"])
      return [...others, row]
    }),
  )
}

function moveMarker({ server, session, sql }: Statement): void {
  const [, sequence, id, name] = /sequence = (\d+), epoch_id = '(\w*)'.* WHERE table_name = '([^']*)'/s.exec(sql) ?? []
  assert(sequence !== undefined && id !== undefined && name !== undefined, "a marker is moved to an epoch")
  const moved = { sequence, epoch_id: id }
  session.transaction!.changes.push(() =>
    change(server, MARKERS, (rows) => rows.map((row) => (row["table_name"] === name ? { ...row, ...moved } : row))),
  )
}

/** The last row of each key takes the place of the one that is there. */
function mergeIncoming({ server, session, match }: Statement): ServerRefusal | undefined {
  const [, table, list, keyList] = match
  const names = namesOf(list!)
  const keyOf = (row: TableRow): string => JSON.stringify(namesOf(keyList!).map((name) => row[name]))
  const latest = new Map(session.incoming.map((row) => [keyOf(row), row]))
  for (const row of latest.values()) if (server.refuses(row)) return refusedRow(table!)
  const isGone = (row: TableRow): boolean => row["tidemark_op"] === "delete"
  const rows = [...latest.values()].filter((row) => !isGone(row))
  const merged = rows.map((row) => Object.fromEntries(names.map((name) => [name, row[name]!])))
  session.transaction!.changes.push(() =>
    change(server, table!, (stored) => [...stored.filter((row) => !latest.has(keyOf(row))), ...merged]),
  )
  return undefined
}

function change(server: TableServer, name: string, next: (rows: readonly TableRow[]) => readonly TableRow[]): void {
  const table: StoredTable | undefined = server.tables.get(name)
  assert(table !== undefined, `the table ${name} is there`)
  table.rows = next(table.rows)
}

function refusedRow(table: string, where?: string): ServerRefusal {
  const message = `a row of ${table} violates a check constraint`
  return { code: "23514", message, constraint: "only_wanted_rows", ...(where !== undefined && { where }) }
}

function namesOf(list: string): string[] {
  return [...list.matchAll(/"([^"]+)"|([a-z_]+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
}

/** The values of a list: texts, numbers, NULL. */
function literalsOf(list: string): (string | null)[] {
  return [...list.matchAll(/E?'((?:[^']|'')*)'|(NULL)|(-?\d+)/g)].map(([, text, absent, number]) => {
    if (absent !== undefined) return null
    return number ?? text!.replaceAll("''", "'").replaceAll("\\\\", "\\")
  })
}

/** Statements, cut at each `;` that is in no text. */
function statementsOf(sql: string): string[] {
  const found = [...sql.matchAll(/(?:'(?:[^']|'')*'|"[^"]*"|[^;'"])+/g)]
  return found.map(([text]) => text.trim()).filter((text) => text !== "")
}
