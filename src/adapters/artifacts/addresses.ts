/** Which addresses a download may speak to. Names are looked up here, and what was looked at is what is connected to. */
import { lookup as lookUp } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { DownloadFailure } from './request.js'

const PRIVATE = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  ['2002::', 16],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv6')

export function isPrivate(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return PRIVATE.check(mapped, 'ipv4')
  return PRIVATE.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** For `http.request`: fails when any address of the name must not be spoken to. */
export function guardedLookup(allowsPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '', 0)
      const barred = allowsPrivate ? undefined : addresses.find(({ address }) => isPrivate(address))
      if (barred !== undefined) return callback(refusal(hostname, barred.address), '', 0)
      if (options.all === true) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family ?? 0)
    })
  }
}

/** An address written as a number is never looked up. @throws DownloadFailure */
export function guardLiteral(hostname: string, allowsPrivate: boolean): void {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1')
  if (!allowsPrivate && isIP(bare) !== 0 && isPrivate(bare)) throw refusal(bare, bare)
}

function refusal(hostname: string, address: string): DownloadFailure {
  const named = hostname === address ? address : `${hostname} (${address})`
  return new DownloadFailure(
    `${named} is a private address; allow it by artifacts.allow_private_addresses in the configuration of this agent`,
  )
}
