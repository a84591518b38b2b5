/**
 * What became of the records that `fuzz-http.mjs` has sent, by their ids, held against what the job has published.
 *
 * Each record is of one of three kinds: acknowledged, which is to be there once; refused or never sent, which is not to be there; and unknown, sent
 * without an answer, which may be there, and once at most, since requests are sent again with a key only.
 */
const [NEVER, UNKNOWN, ACKNOWLEDGED] = [0, 1, 2]
const FINDINGS_MAX = 20

export class Tally {
  #fates = new Uint8Array(1 << 16)
  #ids = 0
  /** What was answered for `/scrap`: how many records were stored. */
  scrapRecords = 0
  /** How many more may have been stored at most, whose answers were not waited for. */
  scrapUnknown = 0
  requests = 0
  /** How many answers there were of each kind. */
  answers = new Map()
  findings = []
  /** How many more findings there were than are told. */
  more = 0

  /** So many new ids; gives the first. */
  take(count) {
    const first = this.#ids
    this.#ids += count
    while (this.#ids > this.#fates.length) {
      const grown = new Uint8Array(2 * this.#fates.length)
      grown.set(this.#fates)
      this.#fates = grown
    }
    return first
  }

  /** Records are on their way. */
  sent(ids) {
    for (const id of ids) if (this.#fates[id] === NEVER) this.#fates[id] = UNKNOWN
  }

  acknowledged(ids) {
    for (const id of ids) this.#fates[id] = ACKNOWLEDGED
  }

  /** They were refused, and had not been sent before. */
  refused(ids) {
    for (const id of ids) if (this.#fates[id] === UNKNOWN) this.#fates[id] = NEVER
  }

  count(kind) {
    this.answers.set(kind, (this.answers.get(kind) ?? 0) + 1)
  }

  find(text) {
    if (this.findings.length < FINDINGS_MAX) this.findings.push(text)
    else this.more++
  }

  /** How many records are of each kind. */
  get fates() {
    const counts = [0, 0, 0]
    for (let id = 0; id < this.#ids; id++) counts[this.#fates[id]]++
    return { refused: counts[NEVER], unknown: counts[UNKNOWN], acknowledged: counts[ACKNOWLEDGED] }
  }

  /** Holds the published ids against the fates. */
  judge(publishedIds) {
    const times = new Uint8Array(this.#ids)
    for (const id of publishedIds) {
      if (id >= 0 && id < this.#ids) times[id]++
      else this.find(`the output has the record ${id}, which nobody has sent`)
    }
    for (let id = 0; id < this.#ids; id++) {
      const [fate, found] = [this.#fates[id], times[id]]
      if (fate === ACKNOWLEDGED && found !== 1) this.find(`record ${id} was acknowledged, and is there ${found} times`)
      if (fate === UNKNOWN && found > 1) this.find(`record ${id} got no answer, and is there ${found} times`)
      if (fate === NEVER && found > 0) this.find(`record ${id} was refused, and is there ${found} times`)
    }
  }
}
