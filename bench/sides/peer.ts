/** The peer that a run of benchmarks was given, or that it was given none. */

import { startNomad } from './nomad-programs.js'
import { NomadSide } from './nomad-side.js'

export interface PeerOption {
  /** Where peers listen, of this machine. */
  readonly addresses: readonly string[]
  /** What a peer is started with. */
  readonly binary: string | undefined
}

/** A line for who reads figures without a peer beside them. */
export interface Note {
  readonly bench: string
  readonly side: string
  readonly note: string
}

export async function openPeers({ addresses, binary }: PeerOption): Promise<readonly NomadSide[]> {
  const given = addresses.map((address) => new NomadSide(addresses.length === 1 ? 'peer' : `peer ${address}`, urlOf(address)))
  return given.length > 0 || binary === undefined ? given : [await startNomad(binary)]
}

export function peerNotGiven(bench: string, note = 'peer not given'): Note {
  return { bench, side: 'peer', note }
}

function urlOf(address: string): string {
  return address.includes('://') ? address : `http://${address}`
}
