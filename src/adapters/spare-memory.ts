/**
 * glibc gives back what is free at the end of its heap and keeps what is free in between, where each burst leaves the most: some 5 MB of an
 * agent and its supervisor. It is asked for it now and then. Other C libraries have no such call and need none. Source: malloc_trim(3).
 */
import koffi from 'koffi'

const EVERY_MS = 20_000

/** Now, and from then on as long as this process lives. */
export function giveBackSpareMemory(): void {
  const trim = findTrim()
  if (trim === undefined) return
  trim(0)
  setInterval(() => trim(0), EVERY_MS).unref()
}

function findTrim(): ((keptBytes: number) => number) | undefined {
  try {
    return koffi.load(null).func('int malloc_trim(size_t)')
  } catch {
    return undefined
  }
}
