/** Addresses and prefixes, both families, on big integers. */
import { toWhole } from '../convert.js'
import { listValue, stringValue, type Value } from '../values.js'
import { asText, type FunctionTable, number, refuse, text } from './signature.js'

interface Prefix {
  readonly bits: 32 | 128
  readonly length: number
  /** Host bits are zero. */
  readonly address: bigint
}

function parsePrefix(written: string): Prefix {
  const [host = '', length = '', ...rest] = written.split('/')
  const bits = host.includes(':') ? 128 : 32
  const address = bits === 32 ? parseV4(host) : parseV6(host)
  if (address === undefined || rest.length > 0 || !/^\d{1,3}$/.test(length) || Number(length) > bits) {
    return refuse(`invalid CIDR expression: ${written}`, 0)
  }
  return { bits, length: Number(length), address: clearHost(address, bits, Number(length)) }
}

function clearHost(address: bigint, bits: number, length: number): bigint {
  const hostBits = BigInt(bits - length)
  return (address >> hostBits) << hostBits
}

function parseV4(written: string): bigint | undefined {
  const parts = written.split('.')
  if (
    parts.length !== 4 ||
    parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255 || (part.length > 1 && part.startsWith('0')))
  )
    return undefined
  return parts.reduce((address, part) => (address << 8n) | BigInt(part), 0n)
}

function parseV6(written: string): bigint | undefined {
  const halves = written.split('::')
  if (halves.length > 2) return undefined
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const groups =
    halves.length === 2
      ? [...(head ?? []), ...Array(Math.max(0, 8 - (head?.length ?? 0) - (tail?.length ?? 0))).fill('0'), ...(tail ?? [])]
      : (head ?? [])
  if (groups.length !== 8 || groups.some((group) => !/^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.reduce((address: bigint, group: string) => (address << 16n) | BigInt(`0x${group}`), 0n)
}

function formatAddress(address: bigint, bits: number): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((address >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((address >> BigInt(16 * (7 - at))) & 0xffffn).toString(16))
  const zeros = [...groups.join(':').matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)[0]
  if (zeros === undefined) return groups.join(':')
  const joined = groups.join(':')
  return `${joined.slice(0, zeros.index).replace(/:$/, '')}::${joined.slice(zeros.index + zeros[0].length).replace(/^:/, '')}`
}

function whole(value: Value | undefined, argument: number): number {
  return (value === undefined ? undefined : toWhole(value)) ?? refuse('a whole number is required', argument)
}

function cidrhost([prefix, host]: readonly Value[]): Value {
  const { bits, length, address } = parsePrefix(asText(prefix))
  const wanted = whole(host, 1)
  const room = 1n << BigInt(bits - length)
  const offset = wanted < 0 ? room + BigInt(wanted) : BigInt(wanted)
  if (offset < 0n || offset >= room) return refuse(`prefix of ${length} does not accommodate a host numbered ${wanted}`, 1)
  return stringValue(formatAddress(address + offset, bits))
}

function cidrnetmask([prefix]: readonly Value[]): Value {
  const { bits, length } = parsePrefix(asText(prefix))
  if (bits === 128) return refuse('IPv6 addresses cannot have a netmask', 0)
  return stringValue(formatAddress(clearHost((1n << 32n) - 1n, 32, length), 32))
}

function subnet(prefix: Prefix, newBits: number, at: bigint, argument: number): string {
  const length = prefix.length + newBits
  if (newBits < 0 || length > prefix.bits) refuse(`insufficient address space to extend prefix of ${prefix.length} by ${newBits}`, argument)
  if (at < 0n || at >= 1n << BigInt(newBits))
    refuse(`prefix extension of ${newBits} does not accommodate a subnet numbered ${at}`, argument + 1)
  return `${formatAddress(prefix.address + (at << BigInt(prefix.bits - length)), prefix.bits)}/${length}`
}

function cidrsubnets([written, ...extensions]: readonly Value[]): Value {
  const prefix = parsePrefix(asText(written))
  let next = prefix.address
  const end = prefix.address + (1n << BigInt(prefix.bits - prefix.length))
  const subnets = extensions.map((extension, at) => {
    const newBits = whole(extension, at + 1)
    const length = prefix.length + newBits
    if (newBits < 1) return refuse('must extend prefix by at least one bit', at + 1)
    if (newBits > 32 || length > prefix.bits) return refuse(`would extend prefix to ${length} bits, which is too long`, at + 1)
    const size = 1n << BigInt(prefix.bits - length)
    const start = ((next + size - 1n) / size) * size
    if (start + size > end) return refuse(`not enough remaining address space for a subnet with a prefix of ${length} bits`, at + 1)
    next = start + size
    return stringValue(`${formatAddress(start, prefix.bits)}/${length}`)
  })
  return listValue('string', subnets)
}

export const NETWORK_FUNCTIONS: FunctionTable = {
  cidrhost: { parameters: [text('prefix'), number('hostnum')], run: cidrhost },
  cidrnetmask: { parameters: [text('prefix')], run: cidrnetmask },
  cidrsubnet: {
    parameters: [text('prefix'), number('newbits'), number('netnum')],
    run: ([prefix, newBits, at]) => stringValue(subnet(parsePrefix(asText(prefix)), whole(newBits, 1), BigInt(whole(at, 2)), 1)),
  },
  cidrsubnets: { parameters: [text('prefix')], rest: number('newbits'), run: cidrsubnets },
}
