/** How the programs that keep state begin and end. */
import { DataDamagedError, explainError } from '../domain/index.js'

/** Whatever these programs write is for their owner alone, unless its mode is given where it is made. */
export function keepToOwner(): void {
  process.umask(0o077)
}

/** One sentence on stderr, and the exit code that says whether data is damaged. */
export async function failingWith(err: (text: string) => void, run: () => Promise<number>): Promise<number> {
  keepToOwner()
  try {
    return await run()
  } catch (error) {
    err(`${explainError(error)}\n`)
    process.exitCode = error instanceof DataDamagedError ? 2 : 1
    return process.exitCode
  } finally {
    // The channel to the parent would keep a process alive that has nothing left to do.
    if (process.connected) process.disconnect()
  }
}
