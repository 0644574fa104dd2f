/** JSON with a checksum before it: what was cut off, zeroed or flipped on a disk is known by it. */
import { crc32 } from 'node:zlib'
import { OrchestratorError } from '../domain/index.js'

const CHECKSUM = /^[0-9a-f]{8} /
const CHECKSUM_LENGTH = 8

export function toCheckedJson(value: unknown): string {
  const text = JSON.stringify(value)
  return `${checksumOf(text)} ${text}`
}

/** What earlier versions wrote has no checksum. @throws OrchestratorError DAMAGED */
export function fromCheckedJson(text: string): unknown {
  const isChecked = CHECKSUM.test(text)
  const json = isChecked ? text.slice(CHECKSUM_LENGTH + 1) : text
  if (!isChecked && !/^[[{]/.test(text)) throw damaged('it is no record')
  if (isChecked && checksumOf(json) !== text.slice(0, CHECKSUM_LENGTH)) throw damaged('its checksum is another')
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw damaged('it is no JSON', cause)
  }
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(CHECKSUM_LENGTH, '0')
}

function damaged(reason: string, cause?: unknown): OrchestratorError {
  return new OrchestratorError('DAMAGED', reason, {}, cause)
}
