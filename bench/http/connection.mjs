/** A connection to a server that answers: bytes out, and what comes back taken off by whoever knows its form. */
import { connect } from "node:net"

export class Connection {
  #socket
  #bytes = Buffer.alloc(0)
  #wake = () => undefined
  #error

  static async to(port) {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true })
    await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject))
    return new Connection(socket)
  }

  constructor(socket) {
    this.#socket = socket
    socket.on("data", (chunk) => {
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    const fail = (error) => {
      this.#error = error ?? new Error("the server has closed the connection")
      this.#wake()
    }
    socket.on("error", fail).on("close", () => fail())
  }

  write(bytes) {
    this.#socket.write(bytes)
  }

  /**
   * What `read` finds at the beginning: `{ value, length }`, or nothing while it is not whole.
   *
   * @param {(bytes: Buffer) => { value: any, length: number } | undefined} read
   */
  async take(read) {
    for (;;) {
      const found = read(this.#bytes)
      if (found !== undefined) {
        this.#bytes = this.#bytes.subarray(found.length)
        return found.value
      }
      if (this.#error !== undefined) throw this.#error
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)))
    }
  }

  close() {
    this.#socket.destroy()
  }
}

/** A line that ends with CR and LF, without them. */
export function line(bytes) {
  const end = bytes.indexOf("\r\n")
  return end < 0 ? undefined : { value: bytes.toString("latin1", 0, end), length: end + 2 }
}
