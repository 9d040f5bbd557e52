/**
 * The part of the Container Runtime Interface, runtime.v1, that the tests speak
 * (k8s.io/cri-api/pkg/apis/runtime/v1/api.proto): the names and numbers of methods and fields.
 */

import { boolean, integer, list, map, message, one, string, type Type } from "./protobuf.ts";

/** NamespaceMode. */
export const POD = 0;
export const CONTAINER = 1;
export const NODE = 2;
export const TARGET = 3;

/** ContainerState. */
export const CREATED = 0;
export const RUNNING = 1;
export const EXITED = 2;

/** PodSandboxState. */
export const READY = 0;
export const NOT_READY = 1;

/** MountPropagation. */
export const HOST_TO_CONTAINER = 1;
export const BIDIRECTIONAL = 2;

/** SecurityProfile.ProfileType. */
export const RUNTIME_DEFAULT = 0;

/** A gRPC status (https://grpc.io/docs/guides/status-codes). */
export const DEADLINE_EXCEEDED = 4;
export const NOT_FOUND = 5;

const value = message({ value: one(1, integer) });
const imageSpec = message({ image: one(1, string) });
const profile = message({ profileType: one(1, integer), localhostRef: one(2, string) });
const containerMetadata = message({ name: one(1, string), attempt: one(2, integer) });

const namespaceOption = message({
  network: one(1, integer),
  pid: one(2, integer),
  ipc: one(3, integer),
  targetId: one(4, string),
});

const linuxPodSandboxConfig = message({
  cgroupParent: one(1, string),
  securityContext: one(
    2,
    message({ namespaceOptions: one(1, namespaceOption), privileged: one(6, boolean) }),
  ),
  sysctls: map(3),
});

export const podSandboxConfig = message({
  metadata: one(
    1,
    message({
      name: one(1, string),
      uid: one(2, string),
      namespace: one(3, string),
      attempt: one(4, integer),
    }),
  ),
  hostname: one(2, string),
  logDirectory: one(3, string),
  dnsConfig: one(
    4,
    message({ servers: list(1, string), searches: list(2, string), options: list(3, string) }),
  ),
  labels: map(6),
  annotations: map(7),
  linux: one(8, linuxPodSandboxConfig),
});

export const linuxContainerResources = message({
  cpuPeriod: one(1, integer),
  cpuQuota: one(2, integer),
  cpuShares: one(3, integer),
  memoryLimitInBytes: one(4, integer),
  oomScoreAdj: one(5, integer),
  cpusetCpus: one(6, string),
});

const linuxContainerSecurityContext = message({
  capabilities: one(
    1,
    message({ addCapabilities: list(1, string), dropCapabilities: list(2, string) }),
  ),
  privileged: one(2, boolean),
  namespaceOptions: one(3, namespaceOption),
  runAsUser: one(5, value),
  readonlyRootfs: one(7, boolean),
  supplementalGroups: list(8, integer),
  noNewPrivs: one(11, boolean),
  runAsGroup: one(12, value),
  maskedPaths: list(13, string),
  readonlyPaths: list(14, string),
  seccomp: one(15, profile),
});

export const containerConfig = message({
  metadata: one(1, containerMetadata),
  image: one(2, imageSpec),
  command: list(3, string),
  args: list(4, string),
  workingDir: one(5, string),
  envs: list(6, message({ key: one(1, string), value: one(2, string) })),
  mounts: list(
    7,
    message({
      containerPath: one(1, string),
      hostPath: one(2, string),
      readonly: one(3, boolean),
      propagation: one(5, integer),
    }),
  ),
  devices: list(
    8,
    message({
      containerPath: one(1, string),
      hostPath: one(2, string),
      permissions: one(3, string),
    }),
  ),
  logPath: one(11, string),
  tty: one(14, boolean),
  linux: one(
    15,
    message({
      resources: one(1, linuxContainerResources),
      securityContext: one(2, linuxContainerSecurityContext),
    }),
  ),
});

export const containerStatus = message({
  id: one(1, string),
  metadata: one(2, containerMetadata),
  state: one(3, integer),
  exitCode: one(7, integer),
  reason: one(10, string),
  message: one(11, string),
  logPath: one(15, string),
});

export const execSyncResponse = message({
  stdout: one(1, string),
  stderr: one(2, string),
  exitCode: one(3, integer),
});

const nothing = message({});
const podSandboxId = message({ podSandboxId: one(1, string) });
const containerId = message({ containerId: one(1, string) });
const usage = message({ timestamp: one(1, integer), usage: one(2, value) });
const containerStats = message({
  attributes: one(1, message({ id: one(1, string), metadata: one(2, containerMetadata) })),
  /** usage_core_nano_seconds. */
  cpu: one(2, usage),
  /** working_set_bytes. */
  memory: one(3, usage),
});

/** A method of a service. */
export interface Method<Request, Response> {
  readonly name: string;
  readonly request: Type<Request>;
  readonly response: Type<Response>;
}

function method<Q, R>(name: string, request: Type<Q>, response: Type<R>): Method<Q, R> {
  return { name, request, response };
}

export const METHODS = {
  version: method(
    "Version",
    nothing,
    message({ runtimeName: one(2, string), runtimeApiVersion: one(4, string) }),
  ),
  status: method(
    "Status",
    nothing,
    message({
      status: one(
        1,
        message({
          conditions: list(1, message({ type: one(1, string), status: one(2, boolean) })),
        }),
      ),
    }),
  ),
  runPodSandbox: method(
    "RunPodSandbox",
    message({ config: one(1, podSandboxConfig), runtimeHandler: one(2, string) }),
    podSandboxId,
  ),
  stopPodSandbox: method("StopPodSandbox", podSandboxId, nothing),
  removePodSandbox: method("RemovePodSandbox", podSandboxId, nothing),
  podSandboxStatus: method(
    "PodSandboxStatus",
    message({ podSandboxId: one(1, string), verbose: one(2, boolean) }),
    message({
      status: one(
        1,
        message({
          id: one(1, string),
          state: one(3, integer),
          network: one(5, message({ ip: one(1, string) })),
          runtimeHandler: one(9, string),
        }),
      ),
      info: map(2),
    }),
  ),
  listPodSandbox: method(
    "ListPodSandbox",
    nothing,
    message({ items: list(1, message({ id: one(1, string) })) }),
  ),
  createContainer: method(
    "CreateContainer",
    message({
      podSandboxId: one(1, string),
      config: one(2, containerConfig),
      sandboxConfig: one(3, podSandboxConfig),
    }),
    containerId,
  ),
  startContainer: method("StartContainer", containerId, nothing),
  stopContainer: method(
    "StopContainer",
    message({ containerId: one(1, string), timeout: one(2, integer) }),
    nothing,
  ),
  removeContainer: method("RemoveContainer", containerId, nothing),
  listContainers: method(
    "ListContainers",
    nothing,
    message({ containers: list(1, message({ id: one(1, string), state: one(6, integer) })) }),
  ),
  containerStatus: method(
    "ContainerStatus",
    containerId,
    message({ status: one(1, containerStatus) }),
  ),
  updateContainerResources: method(
    "UpdateContainerResources",
    message({ containerId: one(1, string), linux: one(2, linuxContainerResources) }),
    nothing,
  ),
  reopenContainerLog: method("ReopenContainerLog", containerId, nothing),
  execSync: method(
    "ExecSync",
    message({ containerId: one(1, string), cmd: list(2, string), timeout: one(3, integer) }),
    execSyncResponse,
  ),
  containerStats: method(
    "ContainerStats",
    containerId,
    message({ stats: one(1, containerStats) }),
  ),
  podSandboxStats: method(
    "PodSandboxStats",
    podSandboxId,
    message({
      stats: one(
        1,
        message({
          linux: one(
            2,
            message({
              memory: one(2, usage),
              process: one(4, usage),
              containers: list(5, containerStats),
            }),
          ),
        }),
      ),
    }),
  ),
};
