/**
 * Text to syntax, by the name of the file: HCL, JSON or YAML. Our own reader gives the verdict; what it refuses is put to
 * HCL's own reader, whose words people know, where that is safe.
 */
import { isStackOverflow, LIMITS, type Limits, readHcl, readJson, TOO_DEEP, toMistake } from '../../jobspec/index.js'
import { explainSyntax } from './explain-syntax.js'
import { readYaml } from './read-yaml.js'
import type { SyntaxReading } from './syntax-reading.js'

export async function readSyntax(path: string, text: string, limits: Limits = LIMITS): Promise<SyntaxReading> {
  const read = readFast(path, text, limits)
  if (read.kind === 'syntax' || !isHcl(path, text)) return read
  const explained = await explainSyntax(path, text, limits)
  return explained.length === 0 ? read : { kind: 'mistakes', mistakes: explained }
}

/** Without the explanation: synchronous, linear in the text and bounded in depth. */
export function readFast(path: string, text: string, limits: Limits = LIMITS): SyntaxReading {
  const sizeBytes = text.length > limits.fileBytesMax ? text.length : Buffer.byteLength(text)
  if (sizeBytes > limits.fileBytesMax) {
    const detail = `The file has ${sizeBytes} bytes; the limit is ${limits.fileBytesMax}. Move data out of it, into files that the job reads or fetches.`
    return { kind: 'mistakes', mistakes: [toMistake({ summary: 'File too large', detail }, path)] }
  }
  try {
    if (isYaml(path)) return readYaml(path, text, limits)
    const read = isHcl(path, text) ? readHcl(path, text, limits) : readJson(path, text, limits)
    return read.kind === 'read' ? { kind: 'syntax', syntax: read.value } : { kind: 'mistakes', mistakes: [toMistake(read.fault, path)] }
  } catch (error) {
    if (!isStackOverflow(error)) throw error
    return { kind: 'mistakes', mistakes: [toMistake(TOO_DEEP, path)] }
  }
}

function isYaml(path: string): boolean {
  return /\.ya?ml$/.test(path)
}

/** As in Nomad: JSON is what begins with a brace, after spaces at most. */
export function isHcl(path: string, text: string): boolean {
  return !isYaml(path) && !path.endsWith('.json') && !/^ *\{/.test(text)
}
