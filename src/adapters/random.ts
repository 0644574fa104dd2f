/** Real chance. */
import { randomUUID } from 'node:crypto'
import type { Random } from '../domain/index.js'

export const systemRandom: Random = { uuid: () => randomUUID(), fraction: () => Math.random() }
