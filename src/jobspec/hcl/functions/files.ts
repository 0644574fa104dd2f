/**
 * Files, read from the commit that is being evaluated and from nowhere else. Paths are relative to the job's file and
 * never leave the repository.
 */

import type { Files } from '../evaluation.js'
import { boolValue, setValue, stringValue } from '../values.js'
import { encodeBase64, encodeUtf8 } from './base64.js'
import { compileGlob } from './glob.js'
import { asText, type CallContext, type FunctionTable, refuse, text } from './signature.js'

function filesOf(context: CallContext): Files {
  return context.files ?? refuse('filesystem function disabled')
}

/** The path from the repository's root. */
function resolve(files: Files, path: string): string {
  if (path.includes('\0')) refuse('a path cannot hold a NUL character', 0)
  if (path.startsWith('/'))
    refuse(`"${path}" is absolute; only files of the repository can be read, by paths relative to the job's file`, 0)
  const parts = files.folder === '' ? [] : files.folder.split('/')
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) refuse(`"${path}" leaves the repository`, 0)
  }
  return parts.join('/')
}

/** Only files whose text can be trusted to be all of them are read: the reader of the tree refuses the others. */
function read(path: string, context: CallContext): string {
  const files = filesOf(context)
  const found = locate(files, path, context)
  if (found !== undefined) return context.textOf(found) ?? ''
  const resolved = resolve(files, path)
  return refuse(`no file exists at "${resolved}" in this commit, nor at "${path}" from the repository's root`, 0)
}

/** Relative to the job's file; else from the root of the repository, where many call `nomad job run`. */
function locate(files: Files, path: string, context: CallContext): string | undefined {
  const resolved = resolve(files, path)
  if (files.tree.has(resolved)) return resolved
  // That it is not there is what the job depends on, too.
  context.depend(resolved)
  const fromRoot = resolve({ ...files, folder: '' }, path.replace(/^(\.\.?\/)+/, ''))
  return !path.startsWith('.') && files.tree.has(fromRoot) ? fromRoot : undefined
}

function fileset(folder: string, pattern: string, context: CallContext): string[] {
  const files = filesOf(context)
  const resolved = resolve(files, folder)
  const glob = compileGlob(pattern) ?? refuse(`failed to glob pattern "${pattern}"`, 1)
  context.depend(`${resolved}/`)
  const below = files.tree.list(resolved)
  context.produce(below.length)
  return below.map((path) => (resolved === '' ? path : path.slice(resolved.length + 1))).filter((path) => glob.test(path))
}

function basename(path: string): string {
  if (path === '') return '.'
  const trimmed = path.replace(/\/+$/, '')
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1)
}

/** The folder part, cleaned. */
function dirname(path: string): string {
  const slash = path.lastIndexOf('/')
  return clean(slash < 0 ? '' : path.slice(0, slash + 1))
}

function clean(path: string): string {
  const isAbsolute = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '..' || !isAbsolute) parts.push(part)
  }
  const joined = parts.join('/')
  return isAbsolute ? `/${joined}` : joined === '' ? '.' : joined
}

export const FILE_FUNCTIONS: FunctionTable = {
  file: { parameters: [text('path')], run: ([path], context) => stringValue(read(asText(path), context)) },
  filebase64: { parameters: [text('path')], run: ([path], context) => stringValue(encodeBase64(encodeUtf8(read(asText(path), context)))) },
  fileexists: {
    parameters: [text('path')],
    run: ([path], context) => {
      const files = filesOf(context)
      const found = locate(files, asText(path), context)
      if (found !== undefined) context.depend(found)
      return boolValue(found !== undefined)
    },
  },
  fileset: {
    parameters: [text('path'), text('pattern')],
    run: ([folder, pattern], context) => setValue('string', fileset(asText(folder), asText(pattern), context).map(stringValue)),
  },
  basename: {
    parameters: [text('path')],
    run: ([path], context) => {
      filesOf(context)
      return stringValue(basename(asText(path)))
    },
  },
  dirname: {
    parameters: [text('path')],
    run: ([path], context) => {
      filesOf(context)
      return stringValue(dirname(asText(path)))
    },
  },
  abspath: {
    parameters: [text('path')],
    run: ([path], context) => stringValue(`/${resolve(filesOf(context), asText(path))}`),
  },
  pathexpand: {
    parameters: [text('path')],
    run: ([path], context) => {
      filesOf(context)
      return /^~/.test(asText(path)) ? refuse('a repository has no home folder that "~" could mean', 0) : stringValue(asText(path))
    },
  },
}
