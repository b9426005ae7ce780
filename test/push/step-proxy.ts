import type { Socket } from "bun"

/** Stands between a client and a server, and tells of everything that the client sends, before it is sent on and after. */
export class StepProxy {
  readonly url: string
  readonly #listener
  readonly #upstream = new Set<{ end(): void }>()

  /** @param step told of each piece that a client sends; `sent` once it was sent on */
  constructor(target: string, step: (sent: boolean) => void) {
    const { hostname, port } = new URL(target)
    type Pipe = { other?: Socket<Pipe> | undefined; waiting: Uint8Array[] }
    const close = (socket: Socket<Pipe>): void => {
      socket.data?.other?.end()
    }
    const upstream = this.#upstream
    this.#listener = Bun.listen<Pipe>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(client) {
          client.data = { waiting: [] }
          void Bun.connect<Pipe>({
            hostname,
            port: Number(port),
            socket: {
              open(server) {
                server.data = { other: client, waiting: [] }
                upstream.add(server)
                client.data.other = server
                for (const piece of client.data.waiting.splice(0)) server.write(piece)
              },
              data: (server, piece) => void server.data.other?.write(Uint8Array.from(piece)),
              close,
              error: close,
            },
          }).catch(() => client.end())
        },
        data(client, piece) {
          step(false)
          const { other, waiting } = client.data
          if (other) other.write(Uint8Array.from(piece))
          else waiting.push(Uint8Array.from(piece))
          step(true)
        },
        close,
        error: close,
      },
    })
    const url = new URL(target)
    url.port = String(this.#listener.port)
    this.url = url.href
  }

  stop(): void {
    for (const server of this.#upstream) server.end()
    this.#listener.stop(true)
  }
}
