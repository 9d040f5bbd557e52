/**
 * The messages of containerd's task service, its events and options, as far as a shim has to do with them.
 * Names and numbers are those of containerd's api/runtime/task/v2/shim.proto (v3 has the same) and
 * api/events/task.proto.
 */

import type { Message } from "../wire/protobuf.ts";

/** A message of a type that its URL names. */
export const ANY = { type_url: [1, "string"], value: [2, "bytes"] } as const satisfies Message;
export const TIMESTAMP = { seconds: [1, "int64"], nanos: [2, "int32"] } as const satisfies Message;
export const MOUNT = {
  type: [1, "string"],
  source: [2, "string"],
  target: [3, "string"],
  options: [4, "string", "repeated"],
} as const satisfies Message;

const ID = { id: [1, "string"] } as const satisfies Message;
const PROCESS = { id: [1, "string"], exec_id: [2, "string"] } as const satisfies Message;
const PID = { pid: [1, "uint32"] } as const satisfies Message;
const EMPTY = {} as const satisfies Message;

export const CREATE = {
  id: [1, "string"],
  bundle: [2, "string"],
  rootfs: [3, MOUNT, "repeated"],
  terminal: [4, "bool"],
  stdin: [5, "string"],
  stdout: [6, "string"],
  stderr: [7, "string"],
  checkpoint: [8, "string"],
  parent_checkpoint: [9, "string"],
  options: [10, ANY],
} as const satisfies Message;

const DELETE_RESPONSE = {
  pid: [1, "uint32"],
  exit_status: [2, "uint32"],
  exited_at: [3, TIMESTAMP],
} as const satisfies Message;

const WAIT_RESPONSE = {
  exit_status: [1, "uint32"],
  exited_at: [2, TIMESTAMP],
} as const satisfies Message;

/** Values of a state's status. */
export const TaskStatus = { created: 1, running: 2, stopped: 3, paused: 4, pausing: 5 } as const;

const STATE_RESPONSE = {
  id: [1, "string"],
  bundle: [2, "string"],
  pid: [3, "uint32"],
  status: [4, "int32"],
  stdin: [5, "string"],
  stdout: [6, "string"],
  stderr: [7, "string"],
  terminal: [8, "bool"],
  exit_status: [9, "uint32"],
  exited_at: [10, TIMESTAMP],
  exec_id: [11, "string"],
} as const satisfies Message;

const EXEC = {
  id: [1, "string"],
  exec_id: [2, "string"],
  terminal: [3, "bool"],
  stdin: [4, "string"],
  stdout: [5, "string"],
  stderr: [6, "string"],
  spec: [7, ANY],
} as const satisfies Message;

const PROCESS_INFO = { pid: [1, "uint32"], info: [2, ANY] } as const satisfies Message;

/** Each call of the service: what it takes, and what it gives. */
export const CALLS = {
  State: [PROCESS, STATE_RESPONSE],
  Create: [CREATE, PID],
  Start: [PROCESS, PID],
  Delete: [PROCESS, DELETE_RESPONSE],
  Pids: [ID, { processes: [1, PROCESS_INFO, "repeated"] }],
  Pause: [ID, EMPTY],
  Resume: [ID, EMPTY],
  Checkpoint: [{ id: [1, "string"], path: [2, "string"], options: [3, ANY] }, EMPTY],
  Kill: [
    { id: [1, "string"], exec_id: [2, "string"], signal: [3, "uint32"], all: [4, "bool"] },
    EMPTY,
  ],
  Exec: [EXEC, EMPTY],
  ResizePty: [
    { id: [1, "string"], exec_id: [2, "string"], width: [3, "uint32"], height: [4, "uint32"] },
    EMPTY,
  ],
  CloseIO: [{ id: [1, "string"], exec_id: [2, "string"], stdin: [3, "bool"] }, EMPTY],
  Update: [{ id: [1, "string"], resources: [2, ANY], annotations: [3, "map"] }, EMPTY],
  Wait: [PROCESS, WAIT_RESPONSE],
  Stats: [ID, { stats: [1, ANY] }],
  Connect: [ID, { shim_pid: [1, "uint32"], task_pid: [2, "uint32"], version: [3, "string"] }],
  Shutdown: [{ id: [1, "string"], now: [2, "bool"] }, EMPTY],
} as const satisfies Readonly<Record<string, readonly [Message, Message]>>;

/** What the verb `delete` of a shim prints. */
export const DELETED = DELETE_RESPONSE;

/** Beside the pid of an exec. */
export const PROCESS_DETAILS = { exec_id: [1, "string"] } as const satisfies Message;

const IO = {
  stdin: [1, "string"],
  stdout: [2, "string"],
  stderr: [3, "string"],
  terminal: [4, "bool"],
} as const satisfies Message;
const CONTAINER = { container_id: [1, "string"] } as const satisfies Message;

/** The events: topic, name below `containerd.events.`, fields. */
export const EVENTS = {
  create: ["/tasks/create", "TaskCreate", {
    container_id: [1, "string"],
    bundle: [2, "string"],
    rootfs: [3, MOUNT, "repeated"],
    io: [4, IO],
    checkpoint: [5, "string"],
    pid: [6, "uint32"],
  }],
  start: ["/tasks/start", "TaskStart", { container_id: [1, "string"], pid: [2, "uint32"] }],
  execAdded: ["/tasks/exec-added", "TaskExecAdded", {
    container_id: [1, "string"],
    exec_id: [2, "string"],
  }],
  execStarted: ["/tasks/exec-started", "TaskExecStarted", {
    container_id: [1, "string"],
    exec_id: [2, "string"],
    pid: [3, "uint32"],
  }],
  exit: ["/tasks/exit", "TaskExit", {
    container_id: [1, "string"],
    id: [2, "string"],
    pid: [3, "uint32"],
    exit_status: [4, "uint32"],
    exited_at: [5, TIMESTAMP],
  }],
  delete: ["/tasks/delete", "TaskDelete", {
    container_id: [1, "string"],
    pid: [2, "uint32"],
    exit_status: [3, "uint32"],
    exited_at: [4, TIMESTAMP],
    id: [5, "string"],
  }],
  oom: ["/tasks/oom", "TaskOOM", CONTAINER],
  checkpointed: ["/tasks/checkpointed", "TaskCheckpointed", {
    container_id: [1, "string"],
    checkpoint: [2, "string"],
  }],
  paused: ["/tasks/paused", "TaskPaused", CONTAINER],
  resumed: ["/tasks/resumed", "TaskResumed", CONTAINER],
} as const satisfies Readonly<Record<string, readonly [string, string, Message]>>;

/** What an event is sent in: the call Forward of containerd.services.events.ttrpc.v1.Events. */
export const FORWARD = {
  envelope: [1, {
    timestamp: [1, TIMESTAMP],
    namespace: [2, "string"],
    topic: [3, "string"],
    event: [4, ANY],
  }],
} as const satisfies Message;

/** Options of runc's shim, which clients give to whatever has its name. */
export const RUNC_OPTIONS = {
  no_pivot_root: [1, "bool"],
  no_new_keyring: [2, "bool"],
  shim_cgroup: [3, "string"],
  io_uid: [4, "uint32"],
  io_gid: [5, "uint32"],
  binary_name: [6, "string"],
  root: [7, "string"],
  systemd_cgroup: [9, "bool"],
} as const satisfies Message;

/** Of a checkpoint, by runc's name and by that of ctr 1.6. */
export const CHECKPOINT_OPTIONS = {
  exit: [1, "bool"],
  open_tcp: [2, "bool"],
  external_unix_sockets: [3, "bool"],
  terminal: [4, "bool"],
  file_locks: [5, "bool"],
  empty_namespaces: [6, "string", "repeated"],
  cgroups_mode: [7, "string"],
  work_path: [9, "string"],
} as const satisfies Message;

/** What the CRI plugin gives to any other. */
export const RUNTIME_OPTIONS = {
  type_url: [1, "string"],
  config_path: [2, "string"],
  config_body: [3, "bytes"],
} as const satisfies Message;

/** What ctr 1.6 gives to any other. */
export const LINUX_OPTIONS = {
  no_pivot_root: [1, "bool"],
  no_new_keyring: [8, "bool"],
  shim_cgroup: [9, "string"],
  io_uid: [10, "uint32"],
  io_gid: [11, "uint32"],
} as const satisfies Message;

/** What containerd 2.3 gives to `start`, and what it takes for an answer. */
export const BOOTSTRAP_PARAMS = {
  instance_id: [1, "string"],
  namespace: [2, "string"],
  log_level: [3, "int32"],
  containerd_version: [4, "string"],
  ttrpc_address: [5, "string"],
  grpc_address: [6, "string"],
  containerd_binary: [7, "string"],
  extensions: [8, { value: [1, ANY] }, "repeated"],
  socket_dir: [9, "string"],
} as const satisfies Message;
export const BOOTSTRAP_RESULT = {
  version: [1, "int32"],
  address: [2, "string"],
  protocol: [3, "string"],
} as const satisfies Message;
