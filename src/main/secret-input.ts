/** How `drover secret` gets what nobody else is to see: not from the command line, which every user of the machine can list. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { CommandError } from '../cli/command.js'

export interface SecretInput {
  readValue(prompt: string): Promise<string>
  /** @returns the text as somebody left it in the editor */
  edit(text: string): Promise<string>
}

/** In memory where there is such a folder. */
const MEMORY_FOLDER = '/dev/shm'

export const terminalInput: SecretInput = {
  async readValue(prompt) {
    if (process.stdin.isTTY !== true) return dropLineEnd(await text(process.stdin))
    process.stderr.write(prompt)
    // Echoes nothing.
    const output = new Writable({ write: (_chunk, _encoding, done) => done() })
    const lines = createInterface({ input: process.stdin, output, terminal: true })
    try {
      return await lines.question('')
    } finally {
      lines.close()
      process.stderr.write('\n')
    }
  },

  async edit(before) {
    const folder = mkdtempSync(join(existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir(), 'drover-secret-'))
    try {
      const file = join(folder, 'variable.yaml')
      writeFileSync(file, before, { mode: 0o600 })
      await runEditor(process.env['VISUAL'] || process.env['EDITOR'] || 'vi', file)
      return readFileSync(file, 'utf8')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/** One that `echo` adds; the lines of a text of several stay as they are. */
function dropLineEnd(value: string): string {
  return /^[^\n]*\r?\n$/.test(value) ? value.replace(/\r?\n$/, '') : value
}

/** As git does it: what is set may have arguments. */
async function runEditor(editor: string, file: string): Promise<void> {
  const child = spawn('/bin/sh', ['-c', `${editor} "$@"`, 'sh', file], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new CommandError(`the editor "${editor}" did not end well; nothing was changed`)
}
