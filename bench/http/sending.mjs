/** Senders that send for a while, each the next batch when the last is acknowledged. */

const RECORD_BYTES = 128

/** Records of one length, with the members that the job reads; each as long as the others. */
export function makeRecords(count) {
  return Array.from({ length: count }, (_, index) => {
    const at = new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString()
    const head = `{"at":"${at}","device":"device-${100 + (index % 900)}","value":${(1000 + (index % 9000)) / 8},"text":"`
    return `${head.padEnd(RECORD_BYTES - 2, "x")}"}`
  })
}

/** Records a second, and the times of batches from sending to acknowledgement, in milliseconds and sorted. */
export async function measureSending(target, { senders, batch, records, seconds }) {
  const connections = await Promise.all(Array.from({ length: senders }, () => target.connect()))
  const times = []
  let isOver = false
  const started = performance.now()
  const send = async (connection, offset) => {
    const prepared = batchesOf(connection, records, batch, offset)
    for (let index = 0; !isOver; index = (index + 1) % prepared.length) {
      const before = performance.now()
      await connection.send(prepared[index])
      times.push(performance.now() - before)
    }
  }
  const ending = setTimeout(() => (isOver = true), seconds * 1000)
  await Promise.all(connections.map((connection, index) => send(connection, index * batch)))
  clearTimeout(ending)
  const elapsed = (performance.now() - started) / 1000
  for (const connection of connections) connection.close()
  times.sort((one, other) => one - other)
  const quantile = (share) => times[Math.floor(times.length * share)]
  return { perSecond: (times.length * batch) / elapsed, p50: quantile(0.5), p99: quantile(0.99) }
}

/** Batches of a sender, from its own place in the records on. */
function batchesOf(connection, records, batch, offset) {
  const count = Math.floor(records.length / batch)
  return Array.from({ length: Math.min(count, 64) }, (_, index) => {
    const first = (offset + index * batch) % (records.length - batch + 1)
    return connection.prepare(records.slice(first, first + batch))
  })
}
