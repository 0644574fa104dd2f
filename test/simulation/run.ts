/**
 * `npm run sim -- --seed S [--seeds N] [--stop-at-first] [--gitops]`: N simulated lives from seed S on, with `--gitops` of several repositories. Prints each violation with its seed (the
 * same seed replays it), and last `N seeds, V violations, H virtual hours, X× real time`; exit code 1 when V > 0. `--long` is
 * the nightly size: 20,000 seeds.
 */
import { freezeDeeply } from '../../src/state/index.js'
import { tellGitopsStory } from './gitops-story.js'
import { tellStory } from './story.js'

const words = process.argv.slice(2)
const known = new Set(['--seed', '--seeds', '--stop-at-first', '--long', '--gitops'])
const unknown = words.filter((word) => word.startsWith('--') && !known.has(word))
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(' ')}; there are: ${[...known].join(' ')}`)
  process.exit(1)
}

function numberAfter(flag: string, absent: number): number {
  const at = words.indexOf(flag)
  const value = at < 0 ? absent : Number(words[at + 1])
  if (Number.isSafeInteger(value) && value > 0) return value
  console.error(`${flag} needs a whole number from 1 on`)
  process.exit(1)
}

freezeDeeply(true)
const first = numberAfter('--seed', 1)
const count = numberAfter('--seeds', words.includes('--long') ? 20_000 : words.includes('--seed') ? 1 : 100)
const tell = words.includes('--gitops') ? tellGitopsStory : tellStory
const began = performance.now()
let told = 0
let violations = 0
let virtualMs = 0
let events = 0
let commands = 0
for (let seed = first; seed < first + count; seed++) {
  const story = await tell(seed)
  told++
  virtualMs += story.virtualMs
  events += story.events
  commands += story.commands
  if (story.violation === undefined) continue
  violations++
  const { atMs, error } = story.violation
  console.log(`seed ${seed} at ${(atMs / 1000).toFixed(1)} s: ${error.name === 'Error' ? error.message : (error.stack ?? error.message)}`)
  if (words.includes('--stop-at-first')) break
}
const wallMs = performance.now() - began
console.log(`${events} events, ${commands} commands`)
console.log(
  `${told} seeds, ${violations} violations, ${(virtualMs / 3_600_000).toFixed(1)} virtual hours, ${(virtualMs / wallMs).toFixed(0)}× real time`,
)
process.exit(violations > 0 ? 1 : 0)
