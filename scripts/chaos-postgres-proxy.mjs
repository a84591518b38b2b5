/**
 * The way of the job of the scenario `http-postgres` of `chaos.mjs` to its server: a proxy that cuts connections, in the middle of what is sent, and around
 * some COMMITs: before the server has them, before their answer, or so that the server does them later than the job has gone on.
 */
import { noteFault } from "./chaos-findings.mjs"
import { builtFixture } from "./fixtures.mjs"

/** What is done with a COMMIT, and what is told of it. */
const FATES = {
  "cut-before": "a connection to PostgreSQL was cut before COMMIT",
  "cut-after": "a connection to PostgreSQL was cut before the answer to COMMIT",
  late: "a COMMIT came to PostgreSQL when its connection was cut",
}
/** How likely one is, and that a connection is cut within so many bytes behind. */
const [FATE_CHANCE, CUT_CHANCE, CUT_BYTES_MAX] = [0.06, 0.03, 20_000]

/** See the head of this file. */
export class TormentedWay {
  #cutter
  #server

  constructor(cutter, server) {
    this.#cutter = cutter
    this.#server = server
    cutter.fateOf = () => this.#drawFate()
  }

  static async before(server) {
    const { CommitCutter } = await builtFixture("test/commit-cutter.fixture.ts")
    return new TormentedWay(await CommitCutter.start(Number(new URL(server.address).port)), server)
  }

  /** The server's, by this way. */
  get address() {
    return this.#cutter.throughIt(this.#server.address)
  }

  async end() {
    this.#cutter.fateOf = () => "pass"
    this.#cutter.bytesLeft = Infinity
  }

  close() {
    return this.#cutter.close()
  }

  #drawFate() {
    if (this.#cutter.bytesLeft === Infinity && Math.random() < CUT_CHANCE) {
      this.#cutter.bytesLeft = Math.random() * CUT_BYTES_MAX
      noteFault("a connection to PostgreSQL was cut in the middle")
    }
    if (Math.random() >= FATE_CHANCE) return "pass"
    const fates = Object.keys(FATES)
    const fate = fates[Math.floor(Math.random() * fates.length)]
    noteFault(FATES[fate])
    return fate
  }
}
