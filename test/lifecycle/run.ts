/**
 * `npm run vectors -- lifecycle [--real] [STORY …]`: replays recorded stories on virtual time, those that can be told without processes; with
 * `--real` on real clusters, some at a time. Mismatches one a line, then `N passed, M failed, K skipped`; exit code 1 when any failed
 * in what is not listed in `open-stories.json`. A story is a name, the beginning of names that ends in `-`, or a path of a file.
 */
import { readFileSync } from 'node:fs'
import type { Mismatch } from '../vectors/compare.js'
import { endSharedEngine } from './real-story-cluster.js'
import { type Replay, replay } from './replay.js'
import { type StoryKind, storyNames } from './story.js'

const AT_A_TIME = Number(process.env.DROVER_STORIES_AT_A_TIME ?? 4)

/** What a story tells differently. */
export interface OpenStory {
  readonly why: string
  /** Pointers into its record; what is below them is not compared. */
  readonly differs: readonly string[]
}

export function openStories(): Readonly<Record<string, OpenStory>> {
  return JSON.parse(readFileSync(new URL('./open-stories.json', import.meta.url), 'utf8')) as Record<string, OpenStory>
}

/** Those that nobody has listed. */
export function unexpected(mismatches: readonly Mismatch[], open: OpenStory | undefined): readonly Mismatch[] {
  const isListed = ({ path }: Mismatch) => open?.differs.some((pointer) => path === pointer || path.startsWith(`${pointer}/`)) === true
  return mismatches.filter((mismatch) => !isListed(mismatch))
}

export function chooseStories(wanted: readonly string[], kind: StoryKind = 'lifecycle'): readonly string[] {
  if (wanted.length === 0) return storyNames(kind)
  return wanted.flatMap((one) => (one.endsWith('-') ? storyNames(kind).filter((name) => name.startsWith(one)) : [one]))
}

/** @param words stories, and `--real` @returns the exit code */
export async function runStories(words: readonly string[], kind: StoryKind = 'lifecycle'): Promise<number> {
  const isReal = words.includes('--real') || kind === 'docker'
  const open = openStories()
  const waiting = [
    ...chooseStories(
      words.filter((word) => word !== '--real'),
      kind,
    ),
  ]
  const counts = { passed: 0, failed: 0, listed: 0, skipped: 0 }
  const runSome = async (): Promise<void> => {
    for (;;) {
      const name = waiting.shift()
      if (name === undefined) return
      counts[tellResult(await replay(name, isReal), open)]++
    }
  }
  const lanes = isReal ? AT_A_TIME : 1
  await Promise.all(Array.from({ length: lanes }, runSome)).finally(endSharedEngine)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.listed} differ as listed, ${counts.skipped} skipped`)
  return counts.failed > 0 ? 1 : 0
}

function tellResult(
  { name, skipped, mismatches }: Replay,
  open: Readonly<Record<string, OpenStory>>,
): 'passed' | 'failed' | 'listed' | 'skipped' {
  if (skipped !== undefined) {
    console.log(`lifecycle ${name} skipped: ${skipped}`)
    return 'skipped'
  }
  const reason = open[name]?.why
  for (const { path, expected, got } of mismatches) {
    console.log(`lifecycle ${name} ${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`)
  }
  if (mismatches.length === 0) {
    console.log(`lifecycle ${name} passed${reason === undefined ? '' : `, though listed: ${reason}`}`)
    return 'passed'
  }
  return unexpected(mismatches, open[name]).length > 0 ? 'failed' : 'listed'
}
