/** Pods and their containers, as the kubelet handles them. */

import { until } from "../runtime.ts";
import { type Cri, IMAGE } from "./cri.ts";
import {
  CONTAINER,
  type containerConfig,
  type containerStatus,
  type execSyncResponse,
  EXITED,
  type linuxContainerResources,
  METHODS,
  type podSandboxConfig,
} from "./cri_api.ts";
import type { Of } from "./protobuf.ts";
import { snippet } from "./snippets.ts";

export type PodConfig = Of<typeof podSandboxConfig>;
export type ContainerConfig = Of<typeof containerConfig>;
type Status = Of<typeof containerStatus>;

/** The handler of the documented RuntimeClass. */
export const HANDLER = /^handler: (.*)$/m.exec(snippet("runtimeclass.yaml"))![1]!;

/** A running pod. Disposal removes it with all that is in it. */
export class Pod implements AsyncDisposable {
  private constructor(readonly cri: Cri, readonly config: PodConfig, readonly id: string) {}

  /** Runs a pod of the documented RuntimeClass. */
  static async run(cri: Cri, name: string, { linux, ...rest }: PodConfig = {}): Promise<Pod> {
    const logDirectory = `/run/pods/${name}`;
    Deno.mkdirSync(cri.sandbox.path(logDirectory), { recursive: true });
    const config = {
      metadata: { name, uid: name, namespace: "default" },
      hostname: name,
      logDirectory,
      linux: { cgroupParent: `/runts-clients-cri-${cri.sandbox.name}`, ...linux },
      ...rest,
    };
    const { podSandboxId } = await cri.call(METHODS.runPodSandbox, {
      config,
      runtimeHandler: HANDLER,
    });
    return new Pod(cri, config, podSandboxId!);
  }

  /** Creates a container that sleeps, unless the configuration has another command. */
  async create(name: string, { linux, ...rest }: ContainerConfig = {}): Promise<Container> {
    const { containerId } = await this.cri.call(METHODS.createContainer, {
      podSandboxId: this.id,
      config: {
        metadata: { name },
        image: { image: IMAGE },
        command: ["sleep", "1000000"],
        logPath: `${name}.log`,
        linux: {
          ...linux,
          securityContext: { namespaceOptions: { pid: CONTAINER }, ...linux?.securityContext },
        },
        ...rest,
      },
      sandboxConfig: this.config,
    });
    return new Container(this, name, containerId!);
  }

  /** Creates a container and starts it. */
  async start(name: string, config: ContainerConfig = {}): Promise<Container> {
    const container = await this.create(name, config);
    await container.start();
    return container;
  }

  /** Runs a shell script in a container of its own; gives what it wrote, when it has ended. */
  async output(script: string, config: ContainerConfig = {}): Promise<string> {
    const name = `output${crypto.randomUUID()}`;
    const container = await this.start(name, { command: ["sh", "-c", script], ...config });
    await container.ended();
    return container.written();
  }

  async stop(): Promise<void> {
    await this.cri.call(METHODS.stopPodSandbox, { podSandboxId: this.id });
  }

  async remove(): Promise<void> {
    await this.cri.call(METHODS.removePodSandbox, { podSandboxId: this.id });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }
}

export class Container {
  constructor(readonly pod: Pod, readonly name: string, readonly id: string) {}

  private get cri(): Cri {
    return this.pod.cri;
  }

  async start(): Promise<void> {
    await this.cri.call(METHODS.startContainer, { containerId: this.id });
  }

  /** With a grace period in seconds, after which it is killed. */
  async stop(timeout: number): Promise<void> {
    await this.cri.call(METHODS.stopContainer, { containerId: this.id, timeout });
  }

  async remove(): Promise<void> {
    await this.cri.call(METHODS.removeContainer, { containerId: this.id });
  }

  async status(): Promise<Status> {
    const { status } = await this.cri.call(METHODS.containerStatus, { containerId: this.id });
    return status!;
  }

  /** The status once the container has ended. */
  async ended(): Promise<Status> {
    await until(`${this.name} has ended`, async () => (await this.status()).state === EXITED);
    return this.status();
  }

  /** Runs a command in it, for so many seconds at most; 0 is for ever. */
  exec(cmd: readonly string[], timeout = 0): Promise<Of<typeof execSyncResponse>> {
    return this.cri.call(METHODS.execSync, { containerId: this.id, cmd, timeout });
  }

  /** What a shell script in it writes to its standard output. */
  async say(script: string): Promise<string> {
    const { stdout, stderr, exitCode } = await this.exec(["sh", "-c", script]);
    if (exitCode !== 0) throw new Error(`${script}\nended with ${exitCode}: ${stderr}`);
    return stdout!;
  }

  async update(linux: Of<typeof linuxContainerResources>): Promise<void> {
    await this.cri.call(METHODS.updateContainerResources, { containerId: this.id, linux });
  }

  /** Its log, as the file is. */
  log(): string {
    const { logDirectory } = this.pod.config;
    return Deno.readTextFileSync(this.cri.sandbox.path(`${logDirectory}/${this.name}.log`));
  }

  /** What it wrote, without what a log has besides: each line is \`TIME STREAM TAG TEXT\`. */
  written(): string {
    return this.log().replace(
      /^\S+ (stdout|stderr) ([FP]) (.*)\n/gm,
      (_, _stream, tag, text) => tag === "F" ? `${text}\n` : text,
    );
  }

  /** Waits until it has written something that holds this. */
  async wrote(text: string): Promise<void> {
    await until(`${this.name} wrote "${text}"`, () => this.written().includes(text));
  }
}
