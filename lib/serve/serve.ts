/** The warm brain: one process of Deno that carries out the commands of many fronts. */

import { type Helper, lingerInWaits, loadHelper } from "../../ffi/helper.ts";
import { compileFunctions } from "../../ffi/library.ts";
import { monitorCalls } from "../../ffi/monitor.ts";
import { processFacts } from "../../ffi/peer.ts";
import { replaceProcess } from "../../ffi/replace.ts";
import type { Watch } from "../../ffi/waiter.ts";
import { encodeText, readBytesText } from "../base/bytes.ts";
import type { Caller } from "../base/caller.ts";
import { ETIMEDOUT } from "../base/errno.ts";
import { errnoOf, reason, RuntsError } from "../base/errors.ts";
import { readFilesBy, readLink, statFile } from "../base/files.ts";
import { frontId } from "../base/front_id.ts";
import { brainDirectory } from "../runtime/brain.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { factsOf } from "./admission.ts";
import type { Reading } from "./files.ts";
import { Hosts } from "./hosts.ts";
import { listen } from "./listening.ts";
import { Mounts } from "./remote.ts";
import { type BrainStatus, type Prepare, serveRequest, type Shared } from "./request.ts";
import { dropStartPages } from "./start_pages.ts";

/** How long the thread of the event loop waits before another one does, in ms: init takes about 2. */
const LINGER = 4;

/** So many commands may be under way that cannot do without the brain; further ones run cold. */
export const BUSY = 128;

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
  compileFunctions();
  const helper = await loadHelper(); // no wait of it holds up what others have asked for
  readFilesBy(helper.readText);
  const { caller, host } = runtime;
  using socket = await listen(helper, caller, brainDirectory(caller, host));
  const brain = new Brain(helper, runtime, id, options);
  await lingerInWaits(LINGER, () => brain.isReading);
  const umask = Deno.umask(0); // modes are masked with the umask of each caller
  const tell = notifier(helper, caller);
  dropStartPages(caller.proc);
  await tell("READY=1");
  const successor = await brain.run(socket.fd);
  Deno.umask(umask);
  if (successor === undefined) return await tell("STOPPING=1");
  replaceProcess({
    path: successor,
    args: readBytesText(`${caller.proc}/cmdline`).split("\0").slice(0, -1),
    env: [
      ...caller.environment().filter((entry) => !entry.startsWith("LISTEN_")),
      ...["LISTEN_FDS=1", `LISTEN_PID=${caller.pid}`],
    ],
    listening: socket.fd,
  });
}

/** Tells a service manager (sd_notify(3)); what it does not take is of no matter. */
function notifier(helper: Helper, caller: Caller): (state: string) => Promise<void> {
  const path = caller.variable("NOTIFY_SOCKET");
  return async (state) => {
    if (path === undefined) return;
    await helper.sendDatagram(path, encodeText(`${state}\n`), []).catch(() => {});
  };
}

/** The path of the executable, if there is another one by now in the place of the one that runs. */
function successorOf({ proc }: Caller): string | undefined {
  const path = readLink(`${proc}/exe`)?.replace(/ \(deleted\)$/, "");
  const [own, there] = [statFile(`${proc}/exe`), path && statFile(path)];
  if (!own || !there || (own.ino === there.ino && own.dev === there.dev)) return undefined;
  return path;
}

/** Takes what fronts bring, any number at a time. */
class Brain {
  readonly #helper: Helper;
  readonly #runtime: Runtime;
  readonly #options: ServeOptions;
  readonly #shared: Shared;
  readonly #atWork = new Set<Promise<void>>();
  /** Of those, what cannot do without us. */
  readonly #needing = new Set<Promise<void>>();
  readonly #since = new Date();
  /** The executable that is to take its place. */
  #successor: string | undefined;
  readonly #reading: Reading;
  readonly #wake = new AbortController();
  readonly #stop: AbortSignal;
  readonly #ending = new AbortController();
  readonly #outcomes = { done: 0, cold: 0, gone: 0 };

  constructor(helper: Helper, runtime: Runtime, id: string, options: ServeOptions) {
    this.#helper = helper;
    this.#runtime = runtime;
    this.#options = options;
    this.#stop = AbortSignal.any([options.signal, this.#wake.signal]);
    this.#reading = { mounts: new Mounts(helper, runtime.caller.proc), count: 0 };
    const own = processFacts(runtime.caller.pid);
    if (own === undefined) throw new RuntsError("look at this process");
    this.#shared = {
      hosts: new Hosts(this.#reading.mounts),
      helper,
      calls: monitorCalls(),
      facts: factsOf(own),
      frontId: id,
      prepare: options.prepare,
      status: () => this.#status(),
      reading: this.#reading,
      ending: this.#ending.signal,
      isShared: () => this.#atWork.size > 1,
      otherBuild: () => {
        this.#successor ??= successorOf(runtime.caller);
        if (this.#successor !== undefined) this.#wake.abort();
      },
    };
  }

  /** Whether the event loop is about to hear of a file. */
  get isReading(): boolean {
    return this.#reading.count > 0;
  }

  /**
   * Until it is to end, and what is at work has ended, or can go on without it. Gives the path of the executable that is to take its
   * place, if there is one.
   */
  async run(socket: number): Promise<string | undefined> {
    const { idle = -1, signal } = this.#options;
    using arrivals = this.#helper.watchFd(socket);
    while (!signal.aborted && this.#successor === undefined) {
      const ready = await this.#ready(arrivals, idle);
      if (ready) this.#take(socket);
      else if (this.#atWork.size === 0) break;
    }
    this.#ending.abort();
    await Promise.all(this.#needing);
    return signal.aborted ? undefined : this.#successor;
  }

  async #ready(arrivals: Watch, timeoutMs: number): Promise<boolean> {
    const signal = this.#stop;
    try {
      return await arrivals.wait({ timeoutMs, signal });
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  /** Everybody who has connected. */
  #take(socket: number): void {
    for (let fd; (fd = this.#accept(socket)) !== undefined;) {
      if (this.#needing.size >= BUSY) {
        this.#helper.close(fd); // its front starts Deno
        this.#outcomes.cold++;
        continue;
      }
      const { promise: needing, resolve: letGo } = Promise.withResolvers<void>();
      needing.then(() => this.#needing.delete(needing));
      this.#needing.add(needing);
      const work = serveRequest(this.#shared, fd, letGo)
        .then((outcome) => {
          this.#outcomes[outcome]++;
        })
        .catch((error) => this.#runtime.warn(`carry out a command: ${reason(error)}`))
        .then(() => {
          this.#atWork.delete(work);
          letGo();
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
