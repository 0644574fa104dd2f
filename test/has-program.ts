/** Whether a program is on the path: tests that need one that not every machine has skip themselves, with a word. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))
}
