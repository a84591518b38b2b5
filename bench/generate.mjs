/** Generates the benchmark's input: readings of sensors, nearly in order, as CSV or JSON lines. Same arguments, same bytes. */
import { once } from "node:events"
import { createWriteStream } from "node:fs"
import { mkdir, rename, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { finished } from "node:stream/promises"
import { generator } from "./frame/random.mjs"

const SENSORS = 1000
const START_MS = Date.UTC(2024, 0, 1)
/** Readings a second of event time: a minute's window of all sensors holds 60,000. */
export const PER_SECOND = 1000

/** Writes `rows` readings to `path`, unless it is there already. */
export async function generate(path, format, rows) {
  if (
    await stat(path).then(
      () => true,
      () => false,
    )
  )
    return
  await mkdir(dirname(path), { recursive: true })
  const random = generator(42)
  const out = createWriteStream(`${path}.draft`)
  let text = format === "csv" ? "at,sensor,value,ok\n" : ""
  for (let row = 0; row < rows; row++) {
    const at = new Date(START_MS + Math.floor((row / PER_SECOND) * 1000) - Math.floor(random() * 2000)).toISOString()
    const sensor = `sensor-${Math.floor(random() * SENSORS)}`
    const value = (random() * 200 - 50).toFixed(3)
    const ok = random() < 0.9
    text +=
      format === "csv"
        ? `${at},${sensor},${value},${ok}\n`
        : `{"at":"${at}","sensor":"${sensor}","value":${value},"ok":${ok}}\n`
    if (text.length < 1 << 20) continue
    if (!out.write(text)) await once(out, "drain")
    text = ""
  }
  out.end(text)
  await finished(out)
  await rename(`${path}.draft`, path)
}
