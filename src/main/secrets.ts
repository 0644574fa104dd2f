/** `drover secret` at work on the files of a work tree. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { encryptValue, makeIdentity, readIdentities, ValueCipher } from '../adapters/age/index.js'
import { WorkTree } from '../adapters/git/work-tree.js'
import { CommandError } from '../cli/command.js'
import type { SecretPlace, Secrets } from '../cli/secret.js'
import {
  classifyPath,
  misnaming,
  type Recipients,
  readRecipients,
  readVariableFile,
  SourceTree,
  VARIABLES_FOLDER,
  VariablesFolderReader,
} from '../controller/index.js'
import { describePlace, readEncryptedValue, type ValuePlace } from '../domain/index.js'
import { findRoot } from './repository-root.js'
import { type SecretInput, terminalInput } from './secret-input.js'
import { VariableText } from './variable-text.js'

interface VariableFile extends SecretPlace {
  /** Below the repository's top. */
  readonly file: string
}

export class LocalSecrets implements Secrets {
  readonly keyFile: string
  readonly #folder: string
  readonly #input: SecretInput
  readonly #cipher: ValueCipher

  constructor(folder: string, keyFile: string, input: SecretInput = terminalInput) {
    this.#folder = folder
    this.keyFile = resolve(folder, keyFile)
    this.#input = input
    this.#cipher = new ValueCipher([this.keyFile])
  }

  async makeKey(file: string): Promise<string> {
    const { identity, recipient } = await makeIdentity()
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    try {
      writeFileSync(file, `# public key: ${recipient}\n${identity}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new CommandError(`${file} is there already; name another file`)
      throw new CommandError(`${file} cannot be written: ${(error as Error).message}`)
    }
    return recipient
  }

  async set({ namespace, path, name, isPlain }: Parameters<Secrets['set']>[0]): Promise<string> {
    const variable = this.#find({ namespace, path })
    const text = new VariableText(this.#read(variable.file) ?? '', variable.file)
    const recipients = isPlain ? undefined : this.#recipients(namespace)
    const value = await this.#input.readValue(`value of "${name}": `)
    text.put(name, recipients === undefined ? value : await encrypt(value, { namespace, path, name }, recipients))
    this.#write(variable, text.text)
    return variable.file
  }

  async edit(place: SecretPlace): ReturnType<Secrets['edit']> {
    const variable = this.#find(place)
    const before = new VariableText(this.#read(variable.file) ?? '', variable.file)
    const shown = new VariableText(before.text, variable.file)
    const plain = await this.#openAll(variable, before)
    for (const [name, value] of plain) shown.put(name, value, true)
    const textBefore = shown.text
    const textAfter = await this.#input.edit(textBefore)
    if (textAfter === textBefore) return undefined
    const after = new VariableText(textAfter, 'what was edited')
    const encrypted: string[] = []
    const values = after.values()
    for (const name of after.secrets()) {
      const value = values.get(name)!
      const sealed = before.values().get(name)
      const isSame = sealed !== undefined && plain.get(name) === value
      if (!isSame) encrypted.push(name)
      after.put(name, isSame ? sealed : await encrypt(value, { ...place, name }, this.#recipients(place.namespace)))
    }
    this.#write(variable, after.text)
    return { file: variable.file, encrypted }
  }

  async rotate(paths: readonly string[]): ReturnType<Secrets['rotate']> {
    const changed: { readonly variable: VariableFile; readonly text: string; readonly count: number }[] = []
    // Nothing is written before everything has been opened.
    for (const variable of await this.#list(paths)) {
      const text = new VariableText(this.#read(variable.file) ?? '', variable.file)
      const plain = await this.#openAll(variable, text)
      for (const [name, value] of plain)
        text.put(
          name,
          await encrypt(value, { namespace: variable.namespace, path: variable.path, name }, this.#recipients(variable.namespace)),
        )
      if (plain.size > 0) changed.push({ variable, text: text.text, count: plain.size })
    }
    for (const { variable, text } of changed) this.#write(variable, text)
    return changed.map(({ variable: { file }, count }) => ({ file, count }))
  }

  async check(paths: readonly string[]): ReturnType<Secrets['check']> {
    const wanted = await this.#list(paths)
    const files = new Set(wanted.map(({ file }) => file))
    const isWanted = (path: string) => paths.length === 0 || files.has(path)
    const { frozen, warnings } = await new VariablesFolderReader().read(await this.#tree())
    const problems = [
      ...frozen
        .flatMap(({ mistakes }) => mistakes)
        .map(({ path, line, summary, detail }) => ({ path, text: `${line}: ${summary}; ${detail}` })),
      ...warnings.map(({ path, text }) => ({ path, text: ` ${text}` })),
    ].filter(({ path }) => isWanted(path))
    const isOpened = readIdentities([this.keyFile]).keys.length > 0
    const broken = new Set(frozen.map(({ path }) => path))
    let count = 0
    for (const variable of wanted.filter(({ file }) => !broken.has(file))) {
      const encrypted = new VariableText(this.#read(variable.file) ?? '', variable.file).encrypted()
      count += encrypted.size
      if (!isOpened) continue
      for (const [name, value] of encrypted) {
        const opened = await this.#cipher.open(value)
        if (opened.kind === 'refused') problems.push({ path: variable.file, text: ` "${name}" cannot be opened: ${opened.reason}` })
      }
    }
    return { count, problems: problems.map(({ path, text }) => `${path}:${text}`), isOpened }
  }

  /** @throws CommandError for a name that no variable may have */
  #find({ namespace, path }: SecretPlace): VariableFile {
    const [file, other] = ['yaml', 'yml'].map((ending) => `${VARIABLES_FOLDER}/${namespace}/${path}.${ending}`) as [string, string]
    const mistake = misnaming(file, { namespace, path })
    if (mistake !== undefined) throw new CommandError(`${mistake.summary}. ${mistake.detail}`)
    return { namespace, path, file: existsSync(join(this.#root(), other)) ? other : file }
  }

  /** Files of variables at or below these paths; none: all. */
  async #list(paths: readonly string[]): Promise<readonly VariableFile[]> {
    const root = this.#root()
    const wanted = paths.map((path) => relative(root, resolve(this.#folder, path)))
    const missing = paths.find((path) => !existsSync(resolve(this.#folder, path)))
    if (missing !== undefined) throw new CommandError(`${missing} is not there`)
    const isWanted = (path: string) => wanted.length === 0 || wanted.some((one) => one === '' || path === one || path.startsWith(`${one}/`))
    return (await this.#tree()).entries.flatMap(({ path }) => {
      const meaning = classifyPath(path)
      return meaning.kind === 'variable' && isWanted(path) ? [{ file: path, namespace: meaning.namespace, path: meaning.path }] : []
    })
  }

  async #tree(): Promise<SourceTree> {
    const workTree = new WorkTree(this.#root())
    return new SourceTree(workTree, await workTree.list())
  }

  /** Plain values of what is encrypted, by name. @throws CommandError for the first that cannot be opened, or belongs elsewhere */
  async #openAll({ namespace, path, file }: VariableFile, text: VariableText): Promise<ReadonlyMap<string, string>> {
    const plain = new Map<string, string>()
    for (const [name, value] of text.encrypted()) {
      const reading = readEncryptedValue(value)
      const place = { namespace, path, name }
      // Whoever encrypts it anew here vouches for its being here.
      if ('mistake' in reading)
        throw new CommandError(`${file}: "${name}" is encrypted, but ${reading.mistake}; set it with drover secret set`)
      if (describePlace(reading.place) !== describePlace(place))
        throw new CommandError(`${file}: "${name}" was encrypted for ${describePlace(reading.place)}; set it here with drover secret set`)
      const opened = await this.#cipher.open(value)
      if (opened.kind === 'refused') throw new CommandError(`${file}: "${name}" cannot be opened: ${opened.reason}`)
      plain.set(name, opened.text)
    }
    return plain
  }

  #recipients(namespace: string): Recipients {
    for (const file of [`${VARIABLES_FOLDER}/${namespace}/_recipients.yaml`, `${VARIABLES_FOLDER}/_recipients.yaml`]) {
      const text = this.#read(file)
      if (text === undefined) continue
      const recipients = readRecipients(file, text)
      if ('mistakes' in recipients)
        throw new CommandError(recipients.mistakes.map(({ line, summary }) => `${file}:${line}: ${summary}`).join('\n'))
      if (recipients.size > 0) return recipients
    }
    throw new CommandError(
      `there is nobody to encrypt for: write ${VARIABLES_FOLDER}/_recipients.yaml, a line "name: key" for each key of drover secret keygen`,
    )
  }

  #read(file: string): string | undefined {
    const path = join(this.#root(), file)
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }

  /** What the server would refuse is not written. */
  #write({ file, namespace, path }: VariableFile, text: string): void {
    const reading = readVariableFile(file, text, { namespace, path })
    if ('mistakes' in reading)
      throw new CommandError(`nothing was changed: ${reading.mistakes.map(({ summary, detail }) => `${summary}. ${detail}`).join('\n')}`)
    const target = join(this.#root(), file)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
  }

  #root(): string {
    const root = findRoot(this.#folder)
    if (root !== undefined) return root
    throw new CommandError(`${this.#folder} is in no git repository; change to one`)
  }
}

async function encrypt(value: string, place: ValuePlace, recipients: Recipients): Promise<string> {
  try {
    return await encryptValue(value, place, [...recipients.values()])
  } catch (error) {
    throw new CommandError(`"${place.name}" cannot be encrypted: ${(error as Error).message}`)
  }
}
