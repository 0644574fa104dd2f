/** The job block: groups and tasks in source order, and what they inherit (`vault`, `secret`). */
import type { Evaluation } from '../hcl/evaluation.js'
import { type ApiObject, type ApiValue, apiObject, objectIn, objectsIn, textIn } from './api-job.js'
import { type Block, type Content, contentOf } from './body.js'
import { withPorts } from './ports.js'
import { structOf } from './schema.js'
import { decodeGroupScaling, decodeTaskScaling } from './special.js'
import { decodeBlock, decodeContent, type Extras, onlyBlock, schemaOf } from './struct.js'

interface Inherited {
  readonly vault: ApiObject | undefined
  /** Nearest first. */
  readonly secrets: readonly ApiObject[]
}

const JOB_EXTRAS: Extras = { blocks: { task: ['name'], vault: [], secret: ['name'] } }
const GROUP_EXTRAS: Extras = { blocks: { vault: [], secret: ['name'] } }
const TASK_EXTRAS: Extras = { blocks: { scaling: ['name'] } }

function blocksOf(content: Content, type: string): readonly Block[] {
  return content.blocks.filter((block) => block.type === type)
}

function without(content: Content, types: readonly string[]): Content {
  return { attributes: content.attributes, blocks: content.blocks.filter((block) => !types.includes(block.type)) }
}

function secretsOf(evaluation: Evaluation, content: Content): readonly ApiObject[] {
  return blocksOf(content, 'secret').map((block) => decodeBlock(evaluation, 'Secret', block))
}

export function decodeJobBlock(evaluation: Evaluation, block: Block): ApiObject {
  const struct = structOf('Job')
  const content = contentOf(evaluation, block.body, schemaOf(struct, JOB_EXTRAS))
  const name = block.labels[0]?.value ?? ''
  const vault = onlyBlock(evaluation, blocksOf(content, 'vault'))
  const inherited: Inherited = {
    vault: vault === undefined ? undefined : decodeBlock(evaluation, 'Vault', vault),
    secrets: secretsOf(evaluation, content),
  }
  const job = decodeContent(evaluation, struct, block.body, without(content, ['group', 'task', 'vault', 'secret']))
  const lone = blocksOf(content, 'task').map((task) => {
    const decoded = decodeTask(evaluation, task, inherited)
    return apiObject([
      ['Name', textIn(decoded, 'Name')],
      ['Tasks', [decoded]],
    ])
  })
  const groups = blocksOf(content, 'group').map((group) => decodeGroup(evaluation, group, inherited))
  const all = [...lone, ...groups]
  return { ID: name, Name: name, ...job, ...(all.length > 0 ? { TaskGroups: all } : {}) }
}

function decodeGroup(evaluation: Evaluation, block: Block, job: Inherited): ApiObject {
  const struct = structOf('TaskGroup')
  const content = contentOf(evaluation, block.body, schemaOf(struct, GROUP_EXTRAS))
  const group = decodeContent(
    evaluation,
    struct,
    block.body,
    without(content, ['task', 'vault', 'secret', 'scaling']),
    block.labels[0]?.value,
  )
  const vaults = blocksOf(content, 'vault').map((vault) => decodeBlock(evaluation, 'Vault', vault))
  const inherited = { vault: vaults.at(-1) ?? job.vault, secrets: [...secretsOf(evaluation, content), ...job.secrets] }
  const scaling = onlyBlock(evaluation, blocksOf(content, 'scaling'))
  const tasks = blocksOf(content, 'task').map((task) => decodeTask(evaluation, task, inherited))
  return {
    ...withPorts(group),
    ...(scaling === undefined ? {} : { Scaling: decodeGroupScaling(evaluation, scaling) }),
    ...(tasks.length > 0 ? { Tasks: tasks } : {}),
  }
}

function decodeTask(evaluation: Evaluation, block: Block, inherited: Inherited): ApiObject {
  const struct = structOf('Task')
  const content = contentOf(evaluation, block.body, schemaOf(struct, TASK_EXTRAS))
  const task = decodeContent(evaluation, struct, block.body, without(content, ['scaling']), block.labels[0]?.value)
  const scaling = decodeTaskScaling(evaluation, blocksOf(content, 'scaling'))
  const secrets = [...objectsIn(task, 'Secrets'), ...inherited.secrets]
  const vault = task['Vault'] ?? inherited.vault
  const resources = objectIn(task, 'Resources')
  return {
    ...splitIdentities(task),
    ...(resources === undefined ? {} : { Resources: withPorts(resources) }),
    ...(vault === undefined ? {} : { Vault: vault }),
    ...(scaling.length > 0 ? { ScalingPolicies: scaling } : {}),
    ...(secrets.length > 0 ? { Secrets: secrets } : {}),
  }
}

/** The first identity without a name, or named `default`, is the task's own; the others stay a list. */
function splitIdentities(task: ApiObject): ApiObject {
  const identities = objectsIn(task, 'Identities')
  if (identities.length === 0) return task
  const isDefault = (identity: ApiObject): boolean => ['', 'default'].includes(textIn(identity, 'Name'))
  const { Identities: _, ...rest } = task
  const at = identities.findIndex(isDefault)
  const own = at < 0 ? undefined : identities[at]
  const others: readonly ApiValue[] = identities.filter((_, index) => index !== at)
  return { ...rest, ...(own === undefined ? {} : { Identity: own }), Identities: others }
}
