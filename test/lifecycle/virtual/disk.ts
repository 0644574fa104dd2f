/** Files of all simulated hosts in one place, by absolute path. A folder is there as long as anything is below it, or once it was made. */
export class VirtualDisk {
  readonly #files = new Map<string, string>()
  readonly #folders = new Set<string>()

  read(path: string): string | undefined {
    return this.#files.get(path)
  }

  write(path: string, text: string): void {
    this.#files.set(path, text)
  }

  append(path: string, text: string): void {
    this.#files.set(path, (this.#files.get(path) ?? '') + text)
  }

  makeFolder(path: string): void {
    this.#folders.add(path)
  }

  isFolder(path: string): boolean {
    return this.#folders.has(path) || [...this.#files.keys()].some((file) => file.startsWith(`${path}/`))
  }

  exists(path: string): boolean {
    return this.#files.has(path) || this.isFolder(path)
  }

  /** Paths of the files below a folder. */
  below(folder: string): readonly string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`))
  }

  /** A file, or a folder with everything below it. */
  remove(path: string): void {
    this.#files.delete(path)
    for (const file of this.below(path)) this.#files.delete(file)
    for (const folder of this.#folders) if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder)
  }

  move(from: string, to: string): void {
    for (const path of this.below(from)) {
      this.write(`${to}${path.slice(from.length)}`, this.#files.get(path)!)
      this.#files.delete(path)
    }
  }
}
