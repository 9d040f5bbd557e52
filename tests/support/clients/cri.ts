/** Kubernetes' way to a runtime: containerd's CRI, called as the kubelet calls it. */

import { until } from "../runtime.ts";
import { START_CONTAINERD } from "./containerd.ts";
import { type Method, METHODS } from "./cri_api.ts";
import { ARCHIVE } from "./image.ts";
import type { Sandbox } from "./sandbox.ts";
import { snippet } from "./snippets.ts";

const CONFIG = "/etc/containerd/config.toml";
const SOCKET = "/run/containerd/containerd.sock";
export const IMAGE = "localhost/bb:latest";

/** A call that takes longer is given up, in ms. */
const CALL_TIMEOUT_MS = 40_000;

/**
 * What this host wants besides: an image for pods that no registry has to bring, Debian's place for
 * network plugins, and no oom_score_adj below the daemon's own, which needs CAP_SYS_RESOURCE.
 */
const HOST = `
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "${IMAGE}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
`;

/** A network of the sandbox alone. */
const NETWORK = {
  cniVersion: "0.4.0",
  name: "pods",
  plugins: [{ type: "ptp", ipam: { type: "host-local", subnet: "10.99.0.0/24" } }],
};

/**
 * Configures and starts containerd, and imports the image for the kubelet's namespace.
 *
 * @param config what docs/clients.md calls the configuration
 */
export async function prepareCri(sandbox: Sandbox, config = CONFIG): Promise<void> {
  await sandbox.write(CONFIG, snippet(config));
  await sandbox.ok(`cat >> ${CONFIG}`, { stdin: HOST });
  await sandbox.write("/etc/cni/net.d/10-pods.conflist", JSON.stringify(NETWORK));
  await sandbox.write("/run/start", START_CONTAINERD);
  await sandbox.ok(`. /run/start; ${ARCHIVE} ctr -n k8s.io image import archive.tar
    known() { ctr -n k8s.io image ls | grep -F ${IMAGE} | grep -F io.cri-containerd.image=managed; }
    poll known`);
}

/** A call that failed, with its gRPC status. */
export class CallError extends Error {
  constructor(method: string, readonly code: number, message: string) {
    super(`${method}: ${message}`);
  }
}

/** A connection to the CRI of a sandbox. gRPC is HTTP/2 with a small frame around each message. */
export class Cri implements Disposable {
  private readonly client: Deno.HttpClient;

  constructor(readonly sandbox: Sandbox) {
    const proxy = { transport: "unix" as const, path: sandbox.path(SOCKET) };
    this.client = Deno.createHttpClient({ proxy, http1: false, http2: true });
  }

  /** Calls a method; a {@linkcode CallError} unless the status is OK. */
  async call<Q, R>({ name, request, response }: Method<Q, R>, values: Q): Promise<R> {
    const message = request.encode(values);
    const frame = new Uint8Array(5 + message.length);
    new DataView(frame.buffer).setUint32(1, message.length);
    frame.set(message, 5);
    const answer = await fetch(`http://cri/runtime.v1.RuntimeService/${name}`, {
      method: "POST",
      headers: { "content-type": "application/grpc", te: "trailers" },
      body: frame,
      client: this.client,
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const body = await answer.bytes();
    // A status in the header means that there is no message, and that something failed.
    const status = Number(answer.headers.get("grpc-status") ?? 0);
    if (status !== 0 || body.length < 5) {
      const text = decodeURIComponent(answer.headers.get("grpc-message") ?? "no message");
      throw new CallError(name, status, text);
    }
    return response.decode(body.subarray(5));
  }

  /** Waits until the daemon answers, which it does once it knows its pods again. */
  async ready(): Promise<void> {
    await until("containerd answers", async () => {
      try {
        await this.call(METHODS.version, {});
        return true;
      } catch {
        return false;
      }
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
