/** Every benchmark, in order (figures and goals: docs/benchmarks.md). */

import { b1Placement } from './b1-placement.js'
import { b2PackQuality } from './b2-pack-quality.js'
import { b3, b4 } from './b3-placements.js'
import { b5 } from './b5-commit-to-running.js'
import { b6ApiRead } from './b6-api-read.js'
import { b7Crowd } from './b7-crowd.js'
import { b8 } from './b8-cold-start.js'
import { b9 } from './b9-footprint.js'
import { gitScan } from './b10-git-scan.js'
import { b10Jobspecs } from './b10-jobspecs.js'
import { serverScan } from './b10-server.js'
import { b11 } from './b11-agent-speed.js'
import { b12 as b12Agent } from './b12-agent-cost.js'
import { costBesidePeer } from './b12-beside-peer.js'
import { containerCost, sandboxCost } from './b12-isolated-cost.js'
import { b13 } from './b13-host-loss.js'
import { b14 } from './b14-garbage.js'

import { b15 } from './b15-sources.js'
import { b16 } from './b16-many-hosts.js'
import { b17 } from './b17-past.js'
import type { Bench } from './measurement.js'

/** All sides of B10: texts to jobs, a repository to Commands, and the whole server. */
const b10: Bench = {
  ...b10Jobspecs,
  async *run(options) {
    yield* b10Jobspecs.run(options)
    yield* gitScan(options)
    yield* serverScan(options)
  },
}

/** Every driver of real tasks. */
const b12: Bench = {
  ...b12Agent,
  async *run(options) {
    yield* costBesidePeer(options)
    yield* b12Agent.run(options)
    yield* sandboxCost(options)
    yield* containerCost(options)
  },
}

export const BENCHES: readonly Bench[] = [
  b1Placement,
  b2PackQuality,
  b3,
  b4,
  b5,
  b6ApiRead,
  b7Crowd,
  b8,
  b9,
  b10,
  b11,
  b12,
  b13,
  b14,
  b15,
  b16,
  b17,
]
