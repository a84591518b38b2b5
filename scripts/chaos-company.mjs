/**
 * What goes on beside the jobs of `chaos.mjs` that are sent to by HTTP: the client that sends, and what torments the rest, at moments that no seed repeats, as
 * what happens then is not repeated by one either.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { noteFault } from "./chaos-findings.mjs"

/** A server lives so long at least, and so much longer at most, and lies dead, or is stopped, so long at most. */
const [LIFE_MS, MORE_MS, DEAD_MS, STOPPED_MS] = [500, 3000, 1000, 2500]

/** See the head of this file. A torment has an end, behind which all is well, and is closed when nobody is there any more. */
export class Company {
  #client
  #torments

  /**
   * @param {{ end(): void, kill(): void }} client
   * @param {readonly { end(): Promise<void>, close(): Promise<void> }[]} torments
   */
  constructor(client, torments) {
    this.#client = client
    this.#torments = torments
  }

  async end() {
    this.#client.end()
    for (const torment of this.#torments) await torment.end()
  }

  async kill() {
    this.#client.kill()
    for (const torment of this.#torments) await torment.end()
    for (const torment of this.#torments) await torment.close()
  }
}

/** A server that is killed and started again, or stopped and goes on. */
export class TormentedServer {
  #name
  #server
  #isEnding = false
  #tormenting

  /**
   * @param {string} name what it is called in what is told
   * @param {{ kill(): Promise<void>, start(): Promise<void>, pause(): void, resume(): void, close(): Promise<void> }} server
   */
  constructor(name, server) {
    this.#name = name
    this.#server = server
    this.#tormenting = this.#torment()
  }

  async end() {
    this.#isEnding = true
    await this.#tormenting
  }

  close() {
    return this.#server.close()
  }

  async #torment() {
    for (;;) {
      await sleep(LIFE_MS + Math.random() * MORE_MS)
      if (this.#isEnding) return
      await (Math.random() < 0.6 ? this.#restart() : this.#stopAWhile())
    }
  }

  async #restart() {
    await this.#server.kill()
    noteFault(`${this.#name} was killed`)
    await sleep(Math.random() * DEAD_MS)
    await this.#server.start()
  }

  async #stopAWhile() {
    this.#server.pause()
    noteFault(`${this.#name} was stopped for a while`)
    await sleep(Math.random() * STOPPED_MS)
    this.#server.resume()
  }
}
