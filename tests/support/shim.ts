/** containerd's part beside a shim, for tests without containerd: it starts shims, calls them, and takes events. */

import { RuntsError } from "../../lib/base/errors.ts";
import { CALLS, FORWARD, RUNC_OPTIONS } from "../../lib/shim/messages.ts";
import {
  decodeRequest,
  encodeResult,
  requestFrame,
  ResponseReader,
  resultOf,
} from "../../lib/shim/ttrpc.ts";
import {
  type Decoded,
  decodeMessage,
  type Encodable,
  encodeMessage,
} from "../../lib/wire/protobuf.ts";
import { RUNTIME, until } from "./runtime.ts";

const HEAD = 10;

/** Takes events at a socket; `answer` says whether one is acknowledged, or its connection closed. */
export class EventsServer implements AsyncDisposable {
  readonly topics: string[] = [];
  readonly namespaces = new Set<string>();
  readonly #listener: Deno.UnixListener;
  readonly #served: Promise<void>;
  readonly #open = new Set<Deno.Conn>();

  constructor(readonly path: string, readonly answer: (count: number) => boolean = () => true) {
    this.#listener = Deno.listen({ transport: "unix", path });
    this.#served = this.#serve();
  }

  async #serve(): Promise<void> {
    const connections: Promise<void>[] = [];
    try {
      for await (const connection of this.#listener) connections.push(this.#take(connection));
    } catch {
      // it was closed
    }
    await Promise.all(connections);
  }

  async #take(connection: Deno.Conn): Promise<void> {
    this.#open.add(connection);
    const bytes = new Uint8Array(65536);
    for (;;) {
      const length = await connection.read(bytes).catch(() => null);
      if (length === null) break;
      const view = new DataView(bytes.buffer);
      const request = decodeRequest(bytes.subarray(HEAD, HEAD + view.getUint32(0)));
      if (request.method !== "Forward") throw new Error(`a call of ${request.method}`);
      const { envelope } = decodeMessage(FORWARD, request.payload);
      this.namespaces.add(envelope!.namespace);
      this.topics.push(envelope!.topic);
      if (!this.answer(this.topics.length)) break;
      const data = encodeResult(new Uint8Array());
      const frame = new Uint8Array(HEAD + data.length);
      const head = new DataView(frame.buffer);
      head.setUint32(0, data.length);
      head.setUint32(4, view.getUint32(4));
      head.setUint8(8, 2);
      frame.set(data, HEAD);
      if (await connection.write(frame).catch(() => 0) === 0) break; // a brain was killed
    }
    this.#hangUp(connection);
  }

  #hangUp(connection: Deno.Conn): void {
    if (this.#open.delete(connection)) connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) this.#hangUp(connection);
    await this.#served;
  }
}

type Calls = typeof CALLS;

/** A connection to a shim. */
export class ShimClient implements Disposable {
  readonly #connection: Deno.UnixConn;
  readonly #reader = new ResponseReader();
  #stream = -1;

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
  }

  static async connect(path: string): Promise<ShimClient> {
    return new ShimClient(await Deno.connect({ transport: "unix", path }));
  }

  /** One call, and its answer. Throws StatusError. */
  async call<N extends keyof Calls>(
    method: N,
    request: Encodable<Calls[N][0]>,
    service = "containerd.task.v2.Task",
  ): Promise<Decoded<Calls[N][1]>> {
    const [takes, gives] = CALLS[method];
    const payload = encodeMessage(takes, request as Encodable<typeof takes>);
    return decodeMessage(gives, await this.callRaw(service, method, payload)) as Decoded<
      Calls[N][1]
    >;
  }

  async callRaw(service: string, method: string, payload: Uint8Array): Promise<Uint8Array> {
    const stream = this.#stream += 2;
    await this.#connection.write(requestFrame(stream, { service, method, payload, timeout: 0n }));
    const bytes = new Uint8Array(65536);
    for (;;) {
      const length = await this.#connection.read(bytes);
      if (length === null) throw new RuntsError(`${method}: the shim has hung up`);
      for (const [of, data] of this.#reader.add(bytes.subarray(0, length))) {
        if (of === stream) return resultOf(data.slice());
      }
    }
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

/** What `start` printed, and how it ended. */
interface Started {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}

/** A node: a directory for the brain, one for sockets, and whoever takes events. */
export class ShimNode implements AsyncDisposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "runts-shim-" });
  readonly brain = `${this.folder}/b`;
  readonly sockets = `${this.folder}/s`;
  readonly link = `${this.folder}/containerd-shim-runts-v2`;
  readonly events: EventsServer;
  /** Of containerd, which is not there. */
  readonly address = `${this.folder}/c`;
  readonly #env: Readonly<Record<string, string>>;

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#env = env;
    Deno.mkdirSync(this.brain, { mode: 0o700 });
    Deno.symlinkSync(RUNTIME, this.link);
    this.events = new EventsServer(`${this.folder}/e`);
  }

  /** For `Create`: the state root is in the test's directory. */
  get options(): { type_url: string; value: Uint8Array } {
    const value = encodeMessage(RUNC_OPTIONS, { root: `${this.folder}/r` });
    return { type_url: "containerd.runc.v1.Options", value };
  }

  get env(): Readonly<Record<string, string>> {
    return {
      PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
      TTRPC_ADDRESS: this.events.path,
      RUNTS_BRAIN: this.brain,
      ...this.#env,
    };
  }

  /** Calls `start` in the bundle, as containerd does. */
  async start(
    id: string,
    bundle: string,
    input: Uint8Array<ArrayBufferLike> = new Uint8Array(),
    env: Readonly<Record<string, string>> = {},
  ): Promise<Started> {
    const child = new Deno.Command(this.link, {
      args: ["-namespace", "ns", "-address", this.address, "-id", id, "start"],
      cwd: bundle,
      env: { ...this.env, ...env },
      clearEnv: true,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array(input));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    return { code, stdout, stderr: new TextDecoder().decode(stderr) };
  }

  /** BootstrapParams of containerd 2.3, so that the socket is in a directory of the test's. */
  bootstrap(id: string, options?: { type_url: string; value: Uint8Array }): Uint8Array {
    return encodeMessage(BOOTSTRAP, {
      instance_id: id,
      namespace: "ns",
      ttrpc_address: this.events.path,
      grpc_address: this.address,
      socket_dir: this.sockets,
      ...(options && { extensions: [{ value: options }] }),
    });
  }

  /** Starts a shim with its socket in the test's directory; gives the path of that. */
  async shim(
    id: string,
    bundle: string,
    options?: { type_url: string; value: Uint8Array },
  ): Promise<string> {
    const { code, stdout, stderr } = await this.start(id, bundle, this.bootstrap(id, options));
    if (code !== 0) throw new Error(`start: ${code}: ${stderr}`);
    return decodeMessage(RESULT, stdout).address.replace(/^unix:\/\//, "");
  }

  /** Pids of processes that serve shims here: brains of their own, and what a warm brain does it for. */
  brains(): number[] {
    return this.#pids((words) => words.includes("shim") && words.includes(this.brain));
  }

  /** Pids of monitors here: each has the name of its socket's directory in the command that starts a brain. */
  monitors(): number[] {
    return this.#pids((words, pid) => words[0] === "runts-monitor" && this.#listensHere(pid));
  }

  #listensHere(pid: number): boolean {
    const sockets = Deno.readTextFileSync("/proc/net/unix").split("\n")
      .filter((line) => line.endsWith(`${this.sockets}/`) || line.includes(`${this.sockets}/`))
      .map((line) => `socket:[${line.trim().split(/\s+/)[6]}]`);
    try {
      return [...Deno.readDirSync(`/proc/${pid}/fd`)].some(({ name }) =>
        sockets.includes(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))
      );
    } catch {
      return false; // it has ended
    }
  }

  #pids(fits: (words: readonly string[], pid: number) => boolean): number[] {
    return [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        return fits(Deno.readTextFileSync(`/proc/${pid}/cmdline`).split("\0"), pid);
      } catch {
        return false; // it has ended
      }
    });
  }

  /** No shim may be left; the brain ends here. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until("no monitor is left", () => this.monitors().length === 0);
    // A monitor may have been starting one as it ended.
    await until("no brain is left", () => {
      const brains = this.brains();
      for (const pid of brains) kill(pid);
      return brains.length === 0;
    });
    await this.events[Symbol.asyncDispose]();
    Deno.removeSync(this.folder, { recursive: true });
  }
}

/** Whoever has ended by itself is left alone. */
export function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // it has ended
  }
}

/** As in containerd's api/runtime/bootstrap/v1/bootstrap.proto. */
const BOOTSTRAP = {
  instance_id: [1, "string"],
  namespace: [2, "string"],
  ttrpc_address: [5, "string"],
  grpc_address: [6, "string"],
  extensions: [8, { value: [1, { type_url: [1, "string"], value: [2, "bytes"] }] }, "repeated"],
  socket_dir: [9, "string"],
} as const;
const RESULT = { version: [1, "int32"], address: [2, "string"], protocol: [3, "string"] } as const;
