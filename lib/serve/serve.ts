/** The warm brain: one process of Deno that carries out the commands of many fronts. */

import { type Helper, loadHelper } from "../../ffi/helper.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
import { ETIMEDOUT } from "../base/errno.ts";
import { errnoOf, quote, reason, RuntsError } from "../base/errors.ts";
import { removeQuietly, statFile } from "../base/files.ts";
import { frontId } from "../base/front_id.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { factsOf } from "./admission.ts";
import { brainDirectory } from "./place.ts";
import { type BrainStatus, type Prepare, serveRequest, type Shared } from "./request.ts";

/** How a brain is to be. */
interface ServeOptions {
  /** In ms: it ends when nobody has asked for so long; default never. */
  readonly idle?: number;
  readonly prepare: Prepare;
  /** Aborted when it is to end, once what is at work has ended. */
  readonly signal: AbortSignal;
}

/** Serves until it is to end. */
export async function serve(runtime: Runtime, options: ServeOptions): Promise<void> {
  const id = frontId();
  if (id === undefined) {
    throw new RuntsError("there is no front that could ask: run the executable, not the sources");
  }
  const helper = await loadHelper(); // no wait of it holds up what others have asked for
  using socket = await listen(helper, brainDirectory(runtime.caller, runtime.host));
  const brain = new Brain(helper, runtime, id, options);
  Deno.umask(0); // modes are masked with the umask of each caller
  await brain.run(socket.fd);
}

/** A socket that listens, and the lock that keeps a second brain away. */
interface Listening extends Disposable {
  readonly fd: number;
}

async function listen(helper: Helper, directory: string): Promise<Listening> {
  makePrivate(directory);
  let lock: number;
  try {
    lock = await helper.lock(`${directory}/lock`, 0);
  } catch (error) {
    if (errnoOf(error) !== ETIMEDOUT) throw error;
    throw new RuntsError(`a warm brain serves ${quote(directory)} already`);
  }
  const path = `${directory}/socket`;
  removeQuietly(path); // of a brain that was killed
  try {
    const fd = monitorCalls().listen(path, 0o600);
    return {
      fd,
      [Symbol.dispose]() {
        removeQuietly(path);
        helper.close(fd);
        helper.close(lock);
      },
    };
  } catch (error) {
    helper.close(lock);
    throw error;
  }
}

/** Makes the directory, or finds that it is nobody else's. */
function makePrivate(directory: string): void {
  try {
    Deno.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new RuntsError(`make directory ${quote(directory)}`, { cause });
  }
  const found = statFile(directory);
  if (found?.uid === Deno.uid() && ((found?.mode ?? 0) & 0o077) === 0) return;
  throw new RuntsError(`directory ${quote(directory)} is not this user's alone`, {
    hint: "it must belong to the user, and have mode 0700",
  });
}

/** Takes what fronts bring, any number at a time. */
class Brain {
  readonly #helper: Helper;
  readonly #runtime: Runtime;
  readonly #options: ServeOptions;
  readonly #shared: Shared;
  readonly #atWork = new Set<Promise<void>>();
  readonly #since = new Date();
  readonly #outcomes = { done: 0, cold: 0, gone: 0 };

  constructor(helper: Helper, runtime: Runtime, id: string, options: ServeOptions) {
    this.#helper = helper;
    this.#runtime = runtime;
    this.#options = options;
    this.#shared = {
      helper,
      calls: monitorCalls(),
      facts: factsOf(runtime.caller.proc),
      frontId: id,
      prepare: options.prepare,
      status: () => this.#status(),
    };
  }

  /** Until it is to end, and what is at work has ended. */
  async run(socket: number): Promise<void> {
    const { idle = -1, signal } = this.#options;
    while (!signal.aborted) {
      const ready = await this.#ready(socket, idle);
      if (ready) this.#take(socket);
      else if (this.#atWork.size === 0) break;
    }
    await Promise.all(this.#atWork);
  }

  async #ready(socket: number, timeoutMs: number): Promise<boolean> {
    const { signal } = this.#options;
    try {
      return (await this.#helper.awaitFds([socket], { timeoutMs, signal })).length > 0;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** Everybody who has connected. */
  #take(socket: number): void {
    for (let fd; (fd = this.#accept(socket)) !== undefined;) {
      const work = serveRequest(this.#shared, fd)
        .then((outcome) => {
          this.#outcomes[outcome]++;
        })
        .catch((error) => this.#runtime.warn(`carry out a command: ${reason(error)}`))
        .then(() => {
          this.#atWork.delete(work);
        });
      this.#atWork.add(work);
    }
  }

  #status(): BrainStatus {
    return {
      ...{ pid: this.#runtime.caller.pid, since: this.#since, frontId: this.#shared.frontId },
      ...{ done: this.#outcomes.done, cold: this.#outcomes.cold, atWork: this.#atWork.size },
      memory: Deno.memoryUsage().rss,
    };
  }

  #accept(socket: number): number | undefined {
    try {
      return this.#helper.accept(socket, 0);
    } catch (error) {
      if (errnoOf(error) === ETIMEDOUT) return undefined;
      throw error;
    }
  }
}
