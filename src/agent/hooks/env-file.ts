/** A rendered file of `NAME=value` lines, as a task's environment. Source: Nomad docs, "template", "Environment Variables". */
import type { Variables } from '../environment.js'

const LINE = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)\s*[=:]\s*(.*?)\s*$/
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '"': '"', '\\': '\\', $: '$' }

/** Quotes are taken off, comments and lines that set nothing are left out; a double-quoted value may go on over lines. */
export function readVariables(text: string): Variables {
  const variables: Record<string, string> = {}
  const lines = text.split(/\r?\n/)
  for (let at = 0; at < lines.length; at++) {
    const match = LINE.exec(lines[at]!)
    if (match === null || /^\s*#/.test(lines[at]!)) continue
    let value = match[2]!
    while (isOpen(value) && at + 1 < lines.length) value += `\n${lines[++at]}`
    variables[match[1]!] = unquote(value)
  }
  return variables
}

function isOpen(value: string): boolean {
  const quote = value[0]
  return (quote === '"' || quote === "'") && !closed(value, quote)
}

function closed(value: string, quote: string): boolean {
  return new RegExp(quote === '"' ? '^"(?:[^"\\\\]|\\\\[\\s\\S])*"' : "^'[^']*'").test(value)
}

function unquote(value: string): string {
  const double = /^"((?:[^"\\]|\\[\s\S])*)"/.exec(value)
  if (double !== null) return double[1]!.replace(/\\([\s\S])/g, (found, char: string) => ESCAPES[char] ?? found)
  const single = /^'([^']*)'/.exec(value)
  return single === null ? value.replace(/\s+#.*$/, '').trim() : single[1]!
}
