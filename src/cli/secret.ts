/** `drover secret …`: encrypted values of variables, in the files of the work tree. Nothing is committed, and no server is asked. */
import type { Command } from 'commander'
import { CommandError, type CommandModule, type Io } from './command.js'
import { counted } from './table.js'

export interface SecretPlace {
  readonly namespace: string
  readonly path: string
}

/** Implemented in `main/`, where files and keys are at hand. */
export interface Secrets {
  /** Makes a key. @returns its public half */
  makeKey(file: string): Promise<string>
  /** Asks for the value, or reads it from standard input. @returns the file that was changed */
  set(place: SecretPlace & { readonly name: string; readonly isPlain: boolean }): Promise<string>
  /** @returns the file, and the names that were encrypted; undefined: nothing was changed */
  edit(place: SecretPlace): Promise<{ readonly file: string; readonly encrypted: readonly string[] } | undefined>
  /** Encrypts everything anew for the recipients of now. @returns each file, with how many values */
  rotate(paths: readonly string[]): Promise<readonly { readonly file: string; readonly count: number }[]>
  check(paths: readonly string[]): Promise<{ readonly count: number; readonly problems: readonly string[]; readonly isOpened: boolean }>
  /** Where the key is looked for. */
  readonly keyFile: string
}

interface Options {
  readonly namespace?: string
  readonly identity?: string
  readonly plain?: boolean
}

export function secretCommand(load: (keyFile: string | undefined) => Promise<Secrets>): CommandModule {
  return {
    name: 'secret',
    usage: 'keygen|set|edit|rotate|check',
    summary: 'write and check encrypted values of variables, in the work tree',
    exitCodes: { 0: 'done, or sound', 1: 'not done, or not sound' },
    define(command: Command, io: Io, finish) {
      const withKey = (sub: Command) => sub.option('--identity <file>', 'secret key of age (DROVER_IDENTITY_FILE)')
      const withPlace = (sub: Command) => sub.option('-n, --namespace <name>', 'namespace of the variable (DROVER_NAMESPACE)')
      const ownKey = io.env['DROVER_IDENTITY_FILE'] || undefined
      const secretsOf = (options: Options) => load(options.identity ?? ownKey)
      const placeOf = (path: string, options: Options): SecretPlace => ({
        namespace: options.namespace ?? (io.env['DROVER_NAMESPACE'] || 'default'),
        path,
      })
      command
        .command('keygen [FILE]')
        .description('make a key; its public half, for vars/_recipients.yaml, is printed')
        .action((file: string | undefined) => finish(load(file ?? ownKey).then((secrets) => makeKey(secrets, io))))
      withPlace(command.command('set <PATH> <NAME>').description('encrypt a value, which is asked for or read from standard input'))
        .option('--plain', 'write it as it is', false)
        .action((path: string, name: string, options: Options) =>
          finish(
            secretsOf(options).then((secrets) => set(secrets, { ...placeOf(path, options), name, isPlain: options.plain === true }, io)),
          ),
        )
      withKey(
        withPlace(command.command('edit <PATH>').description('open a variable in an editor; what is marked !secret is encrypted')),
      ).action((path: string, options: Options) => finish(secretsOf(options).then((secrets) => edit(secrets, placeOf(path, options), io))))
      withKey(command.command('rotate [PATH...]').description('encrypt everything anew for the recipients of now')).action(
        (paths: readonly string[], options: Options) => finish(secretsOf(options).then((secrets) => rotate(secrets, paths, io))),
      )
      withKey(command.command('check [PATH...]').description('whether everything is encrypted for its place and its recipients')).action(
        (paths: readonly string[], options: Options) => finish(secretsOf(options).then((secrets) => check(secrets, paths, io))),
      )
    },
  }
}

async function makeKey(secrets: Secrets, io: Io): Promise<number> {
  io.out(`${await secrets.makeKey(secrets.keyFile)}\n`)
  io.err(`the secret half is in ${secrets.keyFile}; write the line above into vars/_recipients.yaml, behind a name and a colon\n`)
  return 0
}

async function set(secrets: Secrets, place: Parameters<Secrets['set']>[0], io: Io): Promise<number> {
  const file = await secrets.set(place)
  io.err(`${file}: "${place.name}" is ${place.isPlain ? 'written as it is' : 'encrypted'}; commit the file\n`)
  return 0
}

async function edit(secrets: Secrets, place: SecretPlace, io: Io): Promise<number> {
  const done = await secrets.edit(place)
  if (done === undefined) io.err('nothing was changed\n')
  else io.err(`${done.file}: ${done.encrypted.length === 0 ? 'nothing' : done.encrypted.join(', ')} encrypted anew; commit the file\n`)
  return 0
}

async function rotate(secrets: Secrets, paths: readonly string[], io: Io): Promise<number> {
  const files = await secrets.rotate(paths)
  for (const { file, count } of files) io.out(`${file}  ${counted(count, 'value')}\n`)
  io.err(
    files.length === 0
      ? 'nothing is encrypted there\n'
      : 'encrypted anew; commit the files. Who was a recipient before still knows the values: change those too\n',
  )
  return 0
}

async function check(secrets: Secrets, paths: readonly string[], io: Io): Promise<number> {
  const { count, problems, isOpened } = await secrets.check(paths)
  for (const problem of problems) io.err(`${problem}\n`)
  if (problems.length > 0) throw new CommandError(`${counted(problems.length, 'problem')} with ${counted(count, 'encrypted value')}`)
  const how = isOpened
    ? 'sound and opened with the key here'
    : `sound by what their headers say; there is no key in ${secrets.keyFile} to open them`
  io.err(`${counted(count, 'encrypted value')} ${how}\n`)
  return 0
}
