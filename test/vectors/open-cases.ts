/**
 * Recorded cases that are not answered as recorded yet, by kind: work that is open, not differences on purpose. `npm run vectors` tells
 * each of them; `npm test` holds that no other fails and that a case which passes leaves this list.
 */
import { readFileSync } from 'node:fs'

const PATH = new URL('./open-cases.json', import.meta.url)

export const OPEN_CASES: Readonly<Record<string, readonly string[]>> = JSON.parse(readFileSync(PATH, 'utf8'))
