/**
 * The rows that all sides aggregate: a key of so many and a value, both mixed from the row's number by the same
 * arithmetic of 32 bits in JavaScript and in SQL. Values are multiples of 1/8, so that sums are exact in any order and
 * answers can be compared for equality.
 */

const [FIRST, SECOND, THIRD] = [2654435761, 2246822519, 3266489917]

function mixed(number) {
  let bits = Math.imul(number, FIRST)
  bits = Math.imul(bits ^ (bits >>> 16), SECOND)
  bits = Math.imul(bits ^ (bits >>> 13), THIRD)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** The columns of `rows` rows with keys below `keys`. */
export function columnsOf(rows, keys) {
  const key = new Int32Array(rows)
  const value = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const bits = mixed(row + 1)
    key[row] = bits % keys
    value[row] = (mixed(bits) >>> 21) / 8 - 50
  }
  return { key, value }
}

function mixedSql(number) {
  const low = (product) => `((${product}) & 4294967295)`
  const step = (bits, shift, factor) => low(`xor(${bits}, ${bits} >> ${shift}) * ${factor}::UBIGINT`)
  return {
    with: (name) => [
      `${name}1 AS (SELECT *, ${low(`(${number}) * ${FIRST}::UBIGINT`)} AS ${name}1 FROM`,
      `${name}2 AS (SELECT *, ${step(`${name}1`, 16, SECOND)} AS ${name}2 FROM ${name}1)`,
      `${name}3 AS (SELECT *, ${step(`${name}2`, 13, THIRD)} AS ${name}3 FROM ${name}2)`,
      `${name} AS (SELECT *, xor(${name}3, ${name}3 >> 16) AS ${name} FROM ${name}3)`,
    ],
  }
}

/** The same columns as a query. */
export function rowsSql(rows, keys) {
  const [first, ...rest] = mixedSql("row + 1").with("a")
  const [second, ...others] = mixedSql("a").with("b")
  const steps = [`${first} (SELECT range::UBIGINT AS row FROM range(${rows})))`, ...rest, `${second} a)`, ...others]
  return `WITH ${steps.join(", ")} SELECT (a % ${keys})::INTEGER AS key, (b >> 21)::DOUBLE / 8 - 50 AS value FROM b ORDER BY row`
}

/** What an answer comes to: exact, and equal only where the answers are. */
export class Answer {
  groups = 0
  rows = 0
  total = 0
  keyedRows = 0
  keyedTotal = 0

  add(key, total, rows) {
    this.groups += 1
    this.rows += rows
    this.total += total
    this.keyedRows += key * rows
    this.keyedTotal += (key % 1009) * total
  }
}
