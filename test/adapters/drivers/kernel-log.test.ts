import { expect, test } from 'vitest'
import { tellsOfMemory } from '../../../src/adapters/drivers/docker/kernel-log.js'

const ID = '776ff24af1fbfd995328057f96532d59b2b268a8d0ec4a80fc760e883eaadfff'
const OTHER = ID.replace('7', '8')

function record(group: string): string {
  return `6,1371,869203203,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=${group},task_memcg=${group},task=sh,pid=7598,uid=0\n`
}

test('a container is known by its group, whichever engine or manager made it', () => {
  for (const group of [`/docker/${ID}`, `/libpod_parent/libpod-${ID}`, `/machine.slice/libpod-${ID}.scope/container`])
    expect(tellsOfMemory(record(group), ID)).toBe(true)
  expect(tellsOfMemory(record(`/docker/${OTHER}`), ID)).toBe(false)
})

test('other records that name a container say nothing of its memory', () => {
  expect(tellsOfMemory(`6,1,1,-;memory: usage 16384kB, limit 16384kB, failcnt 20 in /docker/${ID}\n`, ID)).toBe(false)
  expect(tellsOfMemory(`6,1,1,-;oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/,task=${ID}\n`, ID)).toBe(false)
})
