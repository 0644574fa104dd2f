/**
 * What the bridge plugin of CNI leaves behind when the namespace is gone before its DEL, as after a restart of the host: it learns the
 * addresses whose rules it gives back from the namespace alone (containernetworking-plugins 1.1.1). Its rules name the
 * allocation in their comment.
 */
import { OrchestratorError } from '../../domain/index.js'
import type { KeptShell, Outcome } from '../kept-shell.js'

const NOT_FOUND = 127

/** The changes that take the rules of one allocation out of a table, as `iptables-restore --noflush` reads them; empty when there are none. Pure. */
function masqueradeRemoval(savedTable: string, allocationId: string): string {
  const own = savedTable.split('\n').filter((line) => line.startsWith('-A ') && line.includes(`id: \\"${allocationId}\\"`))
  const rules = own.filter((line) => line.startsWith('-A POSTROUTING '))
  if (rules.length === 0) return ''
  const chains = new Set(rules.map((rule) => / -j (CNI-[0-9a-f]+)$/.exec(rule)?.[1]).filter((chain) => chain !== undefined))
  return [
    '*nat',
    ...rules.map((rule) => `-D${rule.slice(2)}`),
    ...[...chains].flatMap((chain) => [`-F ${chain}`, `-X ${chain}`]),
    'COMMIT',
    '',
  ].join('\n')
}

/** Without effect where nothing is left, or where there are no rules of that kind at all. @throws OrchestratorError NETWORK */
export async function giveBackMasquerade(shell: KeptShell, allocationId: string): Promise<void> {
  for (const tool of ['iptables', 'ip6tables']) {
    const saved = await shell.run([`${tool}-save`, '-t', 'nat'])
    if (saved.exitCode === NOT_FOUND) continue
    refuseFailure(saved, tool, allocationId)
    const changes = masqueradeRemoval(saved.output, allocationId)
    if (changes === '') continue
    refuseFailure(await shell.run(['sh', '-c', 'printf %s "$2" | "$1"-restore --wait --noflush', 'sh', tool, changes]), tool, allocationId)
  }
}

function refuseFailure({ exitCode, output }: Outcome, tool: string, allocationId: string): void {
  if (exitCode === 0) return
  const text = `failed to give back the address translation of an allocation: ${output.trim()}`
  throw new OrchestratorError('NETWORK', text, { tool, allocationId })
}
