/** `drover dev` on a repository whose jobs are still to come. */
import { Cluster } from '../test/acceptance/cluster.js'

/** @param prepare what is to be in its folder besides; gives further flags */
export async function startEmptyCluster(prepare: (folder: string) => readonly string[] = () => []): Promise<Cluster> {
  const cluster = new Cluster()
  for (const path of ['jobs/hello.nomad.hcl', 'jobs/tick.nomad.yaml']) cluster.git('rm', '-q', path)
  cluster.write('jobs/README.md', 'nothing yet')
  cluster.commit('no jobs')
  try {
    await cluster.start(...prepare(cluster.folder))
    return cluster
  } catch (error) {
    await cluster.remove()
    throw error
  }
}
