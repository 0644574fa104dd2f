/** Paths with slashes, as Go's package path has them, and URLs. Source: Sprig's documentation, "Path" and "URL Functions". */
import { type Bytes, fromText, toText } from '../../bytes.js'
import { refuse } from '../../failure.js'
import { boolValue, recordValue, stringValue, type Value } from '../../values.js'
import { asMap } from '../collections.js'
import { bytesOf, type FunctionTable, ofType } from '../signature.js'

function clean(path: Bytes): Bytes {
  const isRooted = path.startsWith('/')
  const parts: Bytes[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (!isRooted) parts.push('..')
  }
  const joined = parts.join('/')
  return isRooted ? `/${joined}` : joined === '' ? '.' : joined
}

function base(path: Bytes): Bytes {
  if (path === '') return '.'
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

const dir = (path: Bytes): Bytes => clean(path.slice(0, path.lastIndexOf('/') + 1))
const ext = (path: Bytes): Bytes => /\.[^./]*$/.exec(path)?.[0] ?? ''

const URL_PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s

function decodePercent(bytes: Bytes): Bytes {
  return bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function urlParse(text: Bytes): Value {
  const parts = URL_PARTS.exec(text)
  if (parts === null || /[\x00-\x20\x7f]/.test(text)) return refuse(`unable to parse url: parse "${text}": invalid character`)
  const [, scheme = '', authority, path = '', query = '', fragment = ''] = parts
  if (scheme === '' && authority === undefined && /^[^/]*:/.test(path))
    return refuse(`unable to parse url: parse "${text}": missing protocol scheme`)
  const at = (authority ?? '').lastIndexOf('@')
  const host = (authority ?? '').slice(at + 1)
  const isOpaque = scheme !== '' && authority === undefined && !path.startsWith('/')
  const members: readonly (readonly [string, Bytes])[] = [
    ['scheme', scheme.toLowerCase()],
    ['host', host],
    ['hostname', host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')],
    ['path', isOpaque ? '' : decodePercent(path)],
    ['query', query],
    ['opaque', isOpaque ? path : ''],
    ['fragment', decodePercent(fragment)],
    ['userinfo', at < 0 ? '' : (authority ?? '').slice(0, at)],
  ]
  return recordValue(members.map(([name, value]) => [name, stringValue(value)] as const))
}

function urlJoin(parts: Value | undefined): Bytes {
  const get = (name: string): Bytes => {
    const value = asMap(parts).entries.get(`string:${name}`)?.value
    if (value === undefined) return ''
    return value.kind === 'string' ? value.value : refuse(`unable to parse ${name} key, must be of type string, but a ${value.kind} found`)
  }
  const [scheme, host, user, path, query, fragment, opaque] = ['scheme', 'host', 'userinfo', 'path', 'query', 'fragment', 'opaque'].map(get)
  const encodedPath = fromText(encodeURI(toText(path ?? '')))
  const authority = host === '' && user === '' ? '' : `//${user === '' ? '' : `${user}@`}${host}`
  const rooted = authority !== '' && encodedPath !== '' && !encodedPath.startsWith('/') ? `/${encodedPath}` : encodedPath
  const body = opaque === '' ? authority + rooted : opaque
  return `${scheme === '' ? '' : `${scheme}:`}${body}${query === '' ? '' : `?${query}`}${fragment === '' ? '' : `#${fragment}`}`
}

const onPath = (change: (path: Bytes) => Bytes) => ofType('string', 1, ([path]) => stringValue(change(bytesOf(path))))
const isAbs = ofType('string', 1, ([path]) => boolValue(bytesOf(path).startsWith('/')))

export const SPRIG_PATHS: FunctionTable = {
  base: onPath(base),
  dir: onPath(dir),
  clean: onPath(clean),
  ext: onPath(ext),
  isAbs,
  osBase: onPath(base),
  osDir: onPath(dir),
  osClean: onPath(clean),
  osExt: onPath(ext),
  osIsAbs: isAbs,
  urlParse: ofType('string', 1, ([text]) => urlParse(bytesOf(text))),
  urlJoin: ofType('map[string]interface {}', 1, ([parts]) => stringValue(urlJoin(parts))),
}
