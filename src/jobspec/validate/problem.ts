/** Problems of a job, in the nested texts that Nomad answers. */
export interface Problem {
  readonly text: string
  /** Where in the job, for pointing at the file. */
  readonly group?: string
  readonly task?: string
  /** In Nomad a matter of edition or of what it is connected to; a file is told of it in words of our own. */
  readonly isOfEdition?: true
}

/** `2 errors occurred:` and a line for each. */
export function listText(texts: readonly string[]): string {
  const head = texts.length === 1 ? '1 error occurred:' : `${texts.length} errors occurred:`
  return `${head}\n${texts.map((text) => `\t* ${text}`).join('\n')}\n\n`
}

/** One text that tells all of them, or none. */
export function wrapTexts(prefix: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : [prefix + listText(texts)]
}

/** The `Warnings` member of an answer: empty without any. */
export function warningsText(warnings: readonly string[]): string {
  if (warnings.length === 0) return ''
  return `${warnings.length} warning${warnings.length === 1 ? '' : 's'}:\n\n${warnings.map((warning) => `* ${warning}`).join('\n')}`.trimEnd()
}

/** As Go quotes: what cannot be printed is written in hexadecimal. */
export function quote(text: string): string {
  return JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, '\\x$1')
    .replaceAll('\u007f', '\\x7f')
}

/** The same in ASCII alone. */
export function quoteAscii(text: string): string {
  return quote(text).replace(/[\u0080-\u{10ffff}]/gu, (character) => {
    const point = character.codePointAt(0)!
    return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`
  })
}
