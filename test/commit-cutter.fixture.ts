/**
 * A proxy on loopback before a database, which cuts connections in the middle of what is sent, and around COMMIT: before the server has it, while it is on its way, or behind
 * its answer.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { setTimeout as pause } from "node:timers/promises"

/** What becomes of a COMMIT. */
export type CommitFate =
  /** It goes its way, and so does its answer. */
  | "pass"
  /** The connection is cut, and the server never hears of it. */
  | "cut-before"
  /** The server does it, and its answer is not passed on. */
  | "cut-after"
  /** The connection is cut at once, and the server does it later: it was still on its way. */
  | "late"

const COMMIT = "COMMIT\0"
/** How much later. */
const LATE_MILLIS = 400

/** See the head of this file. */
export class CommitCutter {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #port: number
  /** Whether it lets nobody through any more. */
  isShut = false
  /** After how many more bytes it cuts a connection, once. */
  bytesLeft = Infinity
  /** How long each piece takes that a client sends, as on a slow way. */
  pieceMillis = 0
  /** COMMITs that were seen. */
  commits = 0
  /** Decides for each. */
  fateOf: (commit: number) => CommitFate | Promise<CommitFate> = () => "pass"

  private constructor(server: Server, port: number) {
    this.#server = server
    this.#port = port
  }

  static async start(toPort: number): Promise<CommitCutter> {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const cutter = new CommitCutter(server, (server.address() as AddressInfo).port)
    server.on("connection", (near) => {
      if (cutter.isShut) near.destroy()
      else cutter.#pass(near, connect(toPort, "127.0.0.1"))
    })
    return cutter
  }

  /** An address whose connections go through it. */
  throughIt(address: string): string {
    const url = new URL(address)
    url.port = String(this.#port)
    return url.href
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #pass(near: Socket, far: Socket): void {
    let isDeaf = false
    let isLate = false
    const cut = (): void => {
      near.destroy()
      far.destroy()
    }
    for (const socket of [near, far]) {
      this.#sockets.add(socket)
      socket.on("error", cut)
      socket.on("close", () => {
        this.#sockets.delete(socket)
        if (!isLate) cut()
      })
    }
    // One piece after the other, also where a fate is waited for.
    let turn: Promise<void> = Promise.resolve()
    near.on("data", (piece: Buffer) => {
      turn = turn.then(async () => {
        if (this.pieceMillis > 0) {
          near.pause()
          await pause(this.pieceMillis)
          near.resume()
        }
        this.bytesLeft -= piece.length
        if (this.bytesLeft < 0) {
          this.bytesLeft = Infinity
          near.resetAndDestroy()
          return
        }
        const isCommit = piece.includes(COMMIT)
        const fate = isCommit ? await this.fateOf(this.commits++) : "pass"
        if (fate === "cut-before") cut()
        else if (fate === "late") {
          isLate = true
          near.destroy()
          await pause(LATE_MILLIS)
          isDeaf = true
          far.write(piece)
        } else {
          isDeaf ||= fate === "cut-after"
          far.write(piece)
        }
      })
    })
    far.on("data", (piece: Buffer) => {
      if (isDeaf) cut()
      else near.write(piece)
    })
  }
}
