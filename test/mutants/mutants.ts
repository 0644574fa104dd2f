/**
 * Bugs put in on purpose, one line each: every one re-creates something that has gone wrong in real orchestrators. `find` must
 * stand exactly once in its file. `finders` are the checkers of which one is expected to notice.
 */
export interface Mutant {
  readonly name: string
  readonly file: string
  readonly find: string
  readonly replace: string
  readonly finders: readonly string[]
}

const leader = 'src/controller/leader.ts'
const publisher = 'src/controller/allocation-publisher.ts'
const registrar = 'src/controller/node-registrar.ts'

const seal = 'src/agent/seal.ts'
const channel = 'src/controller/host-channel.ts'

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'signatures-are-not-looked-at',
    file: seal,
    find: '  if (!verify(signer, packed, signature)) throw',
    replace: '  if (signature.length === 0) throw',
    finders: ['S1', 'I12', 'I5', 'P1', 'L6'],
  },
  {
    name: 'any-key-is-the-servers',
    file: 'src/agent/host-seals.ts',
    find: '    if (!isEnrolling && !known.includes(part.signer)) throw new UnknownServerKey(part.signer, known)\n',
    replace: '',
    finders: ['S1', 'I12', 'I5', 'L6'],
  },
  {
    name: 'a-host-hears-what-is-for-another',
    file: 'src/agent/host-seals.ts',
    find: "part.direction !== 'to-host' || part.nodeId !== this.#deps.nodeId || !isExpected",
    replace: "part.direction !== 'to-host' || !isExpected",
    finders: ['I5', 'I12', 'L6', 'I7'],
  },
  {
    name: 'questions-are-heard-twice',
    file: channel,
    find: '      if (!window.accept(number)) throw',
    replace: '      if (!window.accept(number) && number < 0) throw',
    finders: ['S1'],
  },
  {
    name: 'beats-of-an-earlier-epoch-count',
    file: registrar,
    find: '    if (isJoined && isFresh) {\n',
    replace: '    if (isJoined) {\n',
    finders: ['S1'],
  },
  {
    name: 'nobody-ends-what-was-forgotten',
    file: 'src/agent/agent.ts',
    find: '    void this.#endUnclaimed(isClaimed).then(() => this.#releaseNetworks(isClaimed))\n',
    replace: '    void isClaimed\n',
    finders: ['L4', 'L5', 'L6', 'I5', 'I12'],
  },
  {
    name: 'a-full-disk-takes-new-work',
    file: 'src/agent/agent.ts',
    find: '    if (this.#node === undefined || this.#disk.problem !== null) return\n',
    replace: '    if (this.#node === undefined) return\n',
    finders: ['S2'],
  },
  {
    name: 'parts-of-two-messages-are-mixed',
    file: 'src/agent/reassembly.ts',
    find: 'JSON.stringify([part.kind, part.epoch, part.session, part.number, part.parts])',
    replace: 'JSON.stringify([part.kind, part.parts])',
    finders: ['L4', 'L5', 'L6', 'P1', 'I5'],
  },
  {
    name: 'outputs-before-durable',
    file: leader,
    find: '    this.#held.push({ index, release: output })\n  }\n\n  /** As `release`',
    replace: '    output()\n  }\n\n  /** As `release`',
    finders: ['P1'],
  },
  {
    name: 'log-takes-any-place',
    file: 'src/adapters/memory/command-log.ts',
    find: "    if (record.firstIndex !== this.nextIndex || (last !== undefined && record.previousHash !== last.hash)) return 'refused'\n",
    replace: "    if (last === null) return 'refused'\n",
    finders: ['I1', 'I2', 'P1'],
  },
  {
    name: 'log-takes-anything-from-anybody',
    file: 'src/adapters/memory/command-log.ts',
    find: "    if (record.epoch < this.epoch) return 'refused'\n    const last = this.records.at(-1)\n    if (record.firstIndex !== this.nextIndex || (last !== undefined && record.previousHash !== last.hash)) return 'refused'\n",
    replace: '',
    finders: ['I1', 'I2'],
  },
  {
    name: 'refused-append-is-ignored',
    file: leader,
    find: "    if (outcome.kind === 'refused') return this.stop(`the log refused index ${firstIndex}: ${outcome.reason}`)\n",
    replace: '',
    finders: ['P1', 'I2', 'I13', 'L4', 'L5', 'L6'],
  },
  {
    name: 'epoch-not-raised',
    file: leader,
    find: '    this.epoch = state.epoch + 1\n',
    replace: '    this.epoch = Math.max(1, state.epoch)\n',
    finders: ['I1', 'L6'],
  },
  {
    name: 'pulled-sets-leave-at-once',
    file: registrar,
    find: '    this.#deps.leader.release(this.#deps.leader.state.index, question.answer(answer))\n',
    replace: '    question.answer(answer)()\n',
    finders: ['P1'],
  },
  {
    name: 'heartbeat-tells-undurable-version',
    file: registrar,
    find: '      version: publisher.sentVersionOf(nodeId),\n',
    replace: '      version: publisher.versionOf(nodeId),\n',
    finders: ['P1'],
  },
  {
    name: 'readers-see-undurable',
    file: 'src/controller/leader-reader.ts',
    find: '    await this.#leader.whenDurable(answer.index)\n',
    replace: '',
    finders: ['P1', 'I13'],
  },
  {
    name: 'apply-draws-chance',
    file: 'src/state/apply/plans.ts',
    find: '  return { ModifyIndex: index, AllocModifyIndex: index, ModifyTime: unixNanoseconds(state.atMs) }\n',
    replace:
      '  return { ModifyIndex: index, AllocModifyIndex: index, ModifyTime: unixNanoseconds(state.atMs) + Math.floor(Math.random() * 1e6) }\n',
    finders: ['I2'],
  },
  {
    name: 'snapshot-forgets-a-table',
    file: 'src/state/snapshot.ts',
    find: '    tables: tablesOf(state).map(([name, table]) => ({ name, index: table.index, rows: [...table.values()] })),\n',
    replace:
      "    tables: tablesOf(state).filter(([name]) => name !== 'evaluations').map(([name, table]) => ({ name, index: table.index, rows: [...table.values()] })),\n",
    finders: ['I2'],
  },
  {
    name: 'table-index-stays-behind',
    file: 'src/state/table.ts',
    find: '    this.#regroup(key, before, stored)\n    this.index = index\n',
    replace: '    this.#regroup(key, before, stored)\n    this.index = Math.max(this.index, index - 1)\n',
    finders: ['I13'],
  },
  {
    name: 'names-not-seeded',
    file: 'src/scheduler/reconcile/names.ts',
    find: '      if (index >= 0) this.#used.set(index, (this.#used.get(index) ?? 0) + 1)\n',
    replace: '',
    finders: ['I3'],
  },
  {
    name: 'stopping-frees-its-share-at-once',
    file: 'src/scheduler/feasible/node-table.ts',
    find: '    if (row === undefined || isClientTerminal(allocation)) return\n',
    replace: "    if (row === undefined || isClientTerminal(allocation) || allocation.ClientStatus === 'pending') return\n",
    finders: ['I7'],
  },
  {
    name: 'memory-not-counted',
    file: 'src/scheduler/feasible/node-table.ts',
    find: '    this.usedCpu[row]! += sign * claims.cpuShares\n',
    replace: '    this.usedCpu[row]! += sign * Math.min(claims.cpuShares, 50)\n',
    finders: ['I7'],
  },
  {
    name: 'ended-may-live-again',
    file: 'src/state/apply/allocations.ts',
    find: '    if (allocation === undefined || isClientTerminal(allocation)) continue\n',
    replace: '    if (allocation === undefined) continue\n',
    finders: ['I8'],
  },
  {
    name: 'pause-of-the-server-counts-as-silence',
    file: 'src/controller/heartbeat-monitor.ts',
    find: '    if (lateMs > 2 * this.#options.tickMs) this.#startOver()\n',
    replace: '',
    finders: ['I12'],
  },
  {
    name: 'silence-of-the-broker-is-silence-of-the-hosts',
    file: 'src/controller/heartbeat-monitor.ts',
    find: '    const isThere = this.#bus.isConnected() && (await this.#bus.ping(PING_WITHIN_MS))\n',
    replace: '    const isThere = await Promise.resolve(true)\n',
    finders: ['I12'],
  },
  {
    name: 'new-leader-gives-no-full-ttl',
    file: registrar,
    find: "    for (const node of leader.state.nodes.values()) if (node.Status !== 'down') this.#monitor.heard(node.ID)\n",
    replace: '',
    finders: ['L4'],
  },
  {
    name: 'silent-nodes-never-down',
    file: registrar,
    find: "    logger.warn({ nodeId, name: node.Name, status }, 'node is silent')\n",
    replace: "    if (nodeId !== '') return\n",
    finders: ['L4'],
  },
  {
    name: 'preempted-are-forgotten',
    file: 'src/controller/worker.ts',
    find: "newEvaluation(random.uuid(), job, 'preemption'))\n",
    replace: "newEvaluation(random.uuid(), job, 'preemption')).slice(jobs.size)\n",
    finders: ['L4'],
  },
  {
    name: 'declarations-reach-nobody-who-has-joined',
    file: registrar,
    find: 'const isKnown = isJoined && this.#declarations.isAsDeclared(leader.state.nodes.get(nodeId)!)\n',
    replace: 'const isKnown = isJoined\n',
    finders: ['L6'],
  },
  {
    name: 'who-was-out-of-sight-is-not-heard-when-it-joins',
    file: registrar,
    find: "      return allocation?.ClientStatus === 'unknown' && allocation.NodeID === nodeId\n",
    replace: '      return allocation?.NodeID === null\n',
    finders: ['L6'],
  },
  {
    name: 'blocked-never-woken',
    file: 'src/controller/blocked-evaluations.ts',
    find: '    if (this.#freedClasses.size === 0) return\n',
    replace: '    if (this.#freedClasses.size >= 0) return\n',
    finders: ['L1', 'L4'],
  },
  {
    name: 'broker-forgets-pending-at-start',
    file: 'src/controller/evaluation-broker.ts',
    find: '    for (const evaluation of view.evaluations.values()) this.#consider(evaluation)\n',
    replace: '',
    finders: ['L1', 'L4'],
  },
  {
    name: 'evaluation-never-closed',
    file: 'src/state/apply/plans.ts',
    find: '  if (closes !== null) putEvaluations(state, index, [closes.evaluation, ...closes.created])\n',
    replace: '  if (closes !== null) putEvaluations(state, index, closes.created)\n',
    finders: ['L1'],
  },
  {
    name: 'set-not-published-when-it-changes',
    file: publisher,
    find: '      if (after !== undefined) this.#changed.add(after.NodeID)\n',
    replace: '',
    finders: ['L4'],
  },
  {
    name: 'older-blocked-evaluation-stays',
    file: 'src/controller/worker.ts',
    find: "    if (evaluation.Status !== 'complete' && renewed.length === 0) return []\n",
    replace: '    if (renewed.length >= 0) return []\n',
    finders: ['I10'],
  },
  {
    name: 'source-cursor-never-moves',
    file: 'src/state/apply/settings.ts',
    find: '  state.sources.put(index, { ...status, modifyIndex: index })\n',
    replace:
      '  state.sources.put(index, { ...status, commit: state.sources.get(status.id)?.commit ?? status.commit, modifyIndex: index })\n',
    finders: ['L5'],
  },
  {
    name: 'removed-files-keep-their-jobs',
    file: 'src/controller/git-reconciler.ts',
    find: '    await this.#propose(removals, (job) => this.#deregisterCommand(job))\n',
    replace: '',
    finders: ['L4'],
  },
  {
    name: 'summary-only-grows',
    file: 'src/state/apply/job-status.ts',
    find: "    return from === 'Complete' || from === 'Failed' ? counts : { ...counts, [from]: Math.max(0, counts[from] - 1) }\n",
    replace: '    return from === to ? group : counts\n',
    finders: ['I17'],
  },
  {
    name: 'placements-not-counted',
    file: 'src/state/apply/deployments.ts',
    find: '    PlacedAllocs: group.PlacedAllocs + (isPlaced ? 1 : 0),\n',
    replace: '    PlacedAllocs: group.PlacedAllocs,\n',
    finders: ['I15'],
  },
  {
    name: 'agent-ignores-the-epoch',
    file: 'src/agent/server-link.ts',
    find: 'clusterId !== local.agent.clusterId || epoch < local.agent.epoch) return false\n',
    replace: 'clusterId !== local.agent.clusterId) return false\n',
    finders: ['I5', 'I12', 'L4', 'P1'],
  },
  {
    name: 'agent-obeys-an-older-set',
    file: 'src/agent/agent.ts',
    find: '    if (set.epoch === agent.versionEpoch && set.version < agent.version) return\n',
    replace: '',
    finders: ['I5', 'I12', 'L4'],
  },
  {
    name: 'agent-starts-anew-what-runs',
    file: 'src/agent/task-runner.ts',
    find: "        return [...clears, { kind: 'attach', attempt, handle }]\n",
    replace: "        return [...clears, { kind: 'find', attempt: attempt + 1 }]\n",
    finders: ['I5', 'L4'],
  },
  {
    name: 'old-report-taken-twice',
    file: registrar,
    find: 'request.number > (leader.state.nodeReports.get(nodeId)?.number ?? 0)',
    replace: 'request.number >= 0',
    finders: ['P1', 'I8'],
  },
  {
    name: 'half-a-report-counts-as-taken',
    file: 'src/state/divide-command.ts',
    find: '  return [unnumbered, withOwnServices(halves[1])]\n',
    replace:
      '  return [{ ...unnumbered, ...command.number === undefined ? {} : { number: command.number } }, withOwnServices(halves[1])]\n',
    finders: ['P1'],
  },
  {
    name: 'parts-of-a-dead-leader-are-kept',
    file: 'src/controller/log-record.ts',
    find: "      if (command.kind === 'leadership-begin') this.#parts = []\n",
    replace: "      if (command.kind === 'leadership-begin') return command\n",
    finders: ['DataDamagedError:'],
  },
  {
    name: 'host-without-its-disk-is-not-heard',
    file: 'src/state/apply/nodes.ts',
    find: '  forgetLaterReports(state, index, command.node.ID, command.reportNumber)\n',
    replace: '',
    finders: ['P1', 'L4'],
  },
  {
    name: 'time-stands-still-while-the-wall-clock-is-behind',
    file: 'src/controller/log-clock.ts',
    find: '    const passedMs = Math.floor(this.#atMs + this.#clock.monotonicMs() - this.#atMonotonicMs)\n',
    replace: '    const passedMs = this.#atMs\n',
    finders: ['L4', 'L1'],
  },
]
