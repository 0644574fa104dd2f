/**
 * Whether the store can be read to its end. The embedded store ends the whole process by a signal when it meets some kinds of damage, so a
 * process of its own reads first, and what becomes of it is told in words.
 */
import { execFile } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DataDamagedError } from '../../domain/index.js'

export interface StoreCheckOptions {
  /** The compiled reader; tests that run from sources name it. */
  readonly reader?: URL
}

/** @param folder of the store. Nothing is there: nothing is wrong. @throws DataDamagedError STORE_DAMAGED */
export async function checkStore(folder: string, { reader = READER }: StoreCheckOptions = {}): Promise<void> {
  const file = join(folder, 'data.mdb')
  if (!existsSync(file)) return
  if (statSync(file).size === 0) throw damaged(file, 'it is empty')
  const problem = await new Promise<string | undefined>((resolve) => {
    execFile(process.execPath, [fileURLToPath(reader), folder], { timeout: READ_MS_MAX }, (error, _stdout, stderr) => {
      if (error === null) return resolve(undefined)
      const { signal } = error as { signal?: string | null }
      const said = stderr.trim().split('\n').at(-1) ?? ''
      resolve(signal ? `the store ends with ${signal} where it is read` : said || error.message)
    })
  })
  if (problem !== undefined) throw damaged(file, problem)
}

/** The same, begun at once: it reads while its caller does something else, and what it found is told to whoever asks about the same folder. */
export function checkStoreAhead(folder: string, options: StoreCheckOptions = {}): (folder: string) => Promise<void> {
  const ahead = checkStore(folder, options)
  // Nobody may come to ask.
  ahead.catch(() => {})
  let isAsked = false
  return (asked) => {
    if (isAsked || asked !== folder) return checkStore(asked, options)
    isAsked = true
    return ahead
  }
}

const READER = new URL('./read-store.js', import.meta.url)
/** Half a million Commands take some seconds. */
const READ_MS_MAX = 300_000

function damaged(file: string, problem: string): DataDamagedError {
  return new DataDamagedError('STORE_DAMAGED', `${file} is damaged: ${problem}`, { file })
}
