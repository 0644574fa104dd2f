/** Jobs of stories as files of the repository. */
import type { StoryCluster } from './cluster.js'

/** @returns what Drover says of the file, where it refuses it */
export async function commitJob(world: StoryCluster, lines: readonly string[]): Promise<string | undefined> {
  const text = `${world.fill(lines.join('\n'))}\n`
  const jobId = /^\s*job\s+"([^"]+)"/m.exec(text)?.[1]
  if (jobId === undefined) throw new Error('a file of the story names no job')
  const path = world.jobPath(jobId)
  const frozen = (await world.apply({ [path]: text })).find((file) => file.path === path)
  if (frozen !== undefined) return frozen.mistakes.map(({ place, summary, detail }) => `${place}: ${summary} ${detail}`).join('; ')
  const { Version } = await world.get<{ Version: number }>(`/v1/job/${encodeURIComponent(jobId)}`)
  world.rememberFile(jobId, Version, text)
  return undefined
}

/** The older file again: what a revert is where jobs are files. @returns why that cannot be */
export async function commitVersion(world: StoryCluster, jobId: string, version: number): Promise<string | undefined> {
  const text = world.fileOfVersion(jobId, version)
  if (text === undefined) return `no file of the repository was version ${version} of ${jobId}`
  const { Version } = await world.get<{ Version: number }>(`/v1/job/${encodeURIComponent(jobId)}`)
  if (Version === version) return `${jobId} is at version ${version}: there is nothing to commit`
  return commitJob(world, text.split('\n'))
}
