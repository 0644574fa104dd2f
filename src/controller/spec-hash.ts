import { specText } from '../jobspec/index.js'
import { checksumOf } from './checksum.js'

/** Stands for what a job specifies. */
export function specHash(job: Parameters<typeof specText>[0]): string {
  return checksumOf(new TextEncoder().encode(specText(job)))
}
