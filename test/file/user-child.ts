import { openStore } from "../../src/index.ts"

/** What a user does to a store in a process of their own. */
export interface UserWork {
  readonly uid: number
  readonly gid: number
  readonly umask: number
  readonly directory: string
  /** Sessions to be written, or updated where they are there. */
  readonly sessions: readonly string[]
}

/** What the user then saw. */
export interface UserSight {
  readonly sessions: string[]
  readonly titles: string[]
  readonly index: string
}

async function run({ uid, gid, umask, directory, sessions }: UserWork): Promise<UserSight> {
  process.umask(umask)
  process.setgroups?.([])
  process.setgid?.(gid)
  process.setuid?.(uid)
  const store = await openStore({ directory, backgroundIndex: false })
  for (const id of sessions) {
    const there = await store.sessions.get(id)
    const title = `${there?.title ?? ""} by ${uid}`
    await store.sessions.write({
      id,
      version: "1",
      directory: "/",
      projectID: "p",
      title,
      time: { created: 1, updated: 1 },
    })
    await store.messages.write({
      id: `msg_${id}`,
      sessionID: id,
      role: "user",
      time: { created: 1 },
    } as never)
  }
  const bodies = await Array.fromAsync(store.sessions.list())
  const sight = {
    sessions: bodies.map(({ id }) => id).sort(),
    titles: bodies.map(({ title }) => title ?? "").sort(),
    index: store.health().index.state,
  }
  await store.close()
  return sight
}

run(JSON.parse(process.argv[2] ?? "{}")).then(
  (sight) => console.log(JSON.stringify(sight)),
  (error) => {
    console.error(error)
    process.exit(1)
  },
)
