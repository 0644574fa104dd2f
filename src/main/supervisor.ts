/** The supervisor's own program: `supervisor.js FOLDER`. Started by an agent, it lives on without it. */
import { join } from 'node:path'
import { RotatedLog } from '../adapters/rotated-log.js'
import { giveBackSpareMemory } from '../adapters/spare-memory.js'
import { closeInheritedDescriptors } from '../adapters/supervisor/descriptors.js'
import { LOG_FILE } from '../adapters/supervisor/protocol.js'
import { Supervisor } from '../adapters/supervisor/supervisor.js'

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: supervisor FOLDER')

closeInheritedDescriptors()
process.umask(0o077)

const lineOf = (text: string) => `${new Date().toISOString()} ${text}\n`
const log = new RotatedLog({ path: join(folder, LOG_FILE), sayLost: (count) => lineOf(`${count} lines were lost, the disk took no more`) })
const say = (text: string) => log.write(lineOf(text))
// Whoever started it is not to end it by accident; only its own end of work does.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGPIPE'] as const) process.on(signal, () => {})

const supervisor = await Supervisor.open(folder, say, () => process.exit(0))
// Another one looks after this folder.
if (supervisor === undefined) process.exit(0)
giveBackSpareMemory()
