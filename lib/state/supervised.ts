/** supervised.json: what is kept of a container that a monitor looks after. */

import type { CgroupRecord } from "../cgroup/manager.ts";
import { exitOf, type ExitRecord, type ProcessName, processName } from "./process_record.ts";
import { readRecord, RecordReader, writeRecord } from "./record.ts";

/** Its name in the state directory. */
const SUPERVISED = "supervised.json";

/** When a container is started anew after its end. */
export const RESTART_POLICIES = ["no", "on-failure", "always", "unless-stopped"] as const;

/** When a container is started anew, and how soon. */
export interface RestartRule {
  readonly policy: typeof RESTART_POLICIES[number];
  /** Of `on-failure`: how often at most; without it, without end. */
  readonly most?: number;
  /** Milliseconds before the first of several restarts; each further one waits twice as long. */
  readonly delay: number;
}

/** How output is kept: in files of three forms, in the journal, or not at all. */
export type LogDriver = "cri" | "json-file" | "raw" | "journald" | "none";

const LOG_DRIVERS: readonly LogDriver[] = ["cri", "json-file", "raw", "journald", "none"];

/** The log of a container. */
export interface LogSettings {
  /** How output is kept. */
  readonly driver: LogDriver;
  /** Of the drivers that write files: absolute. */
  readonly path: string;
  /** Bytes after which a file is put aside; 0: never. */
  readonly maxSize: number;
  /** How many files there are at most, the one that is written among them. */
  readonly maxFiles: number;
}

/** The monitor of a container. */
export interface MonitorRecord extends ProcessName {
  readonly bootId: string;
  /** The cgroup that was made for it. */
  readonly cgroup?: CgroupRecord;
}

/** What create was asked for, so that a restart can ask for the same. */
interface CreateRequest {
  /** Absolute path. */
  readonly bundle: string;
  readonly noPivot?: boolean;
  readonly noNewKeyring?: boolean;
  readonly cgroupManager?: "cgroupfs" | "systemd" | "disabled";
  readonly rootless?: "auto" | "true" | "false";
  /** Absolute path. */
  readonly pidFile?: string;
  /** Milliseconds that the making may take; 0: any. */
  readonly createTimeout?: number;
  /** That of whoever made it, which the program begins with. */
  readonly umask?: number;
}

/** What is kept of a supervised container. */
export interface Supervised {
  readonly labels: Readonly<Record<string, string>>;
  readonly restart: RestartRule;
  /** Milliseconds between the stop signal and KILL. */
  readonly stopTimeout: number;
  readonly log: LogSettings;
  /** Whether the program's input stays open for whoever attaches. */
  readonly interactive: boolean;
  /** Directory of a file system that outlives a reboot, for copies of how processes ended. */
  readonly persist?: string;
  readonly monitor: MonitorRecord;
  readonly create: CreateRequest;
  /** How often it was started anew. */
  readonly restarts: number;
  /** The last delay of a restart, in ms; 0 when the next restart is the first of its row. */
  readonly lastDelay: number;
  /** When it is going to be started anew: RFC 3339, UTC. */
  readonly nextStart?: string;
  /** Why it could not be started anew, when that was tried last. */
  readonly failure?: string;
  /** Whether a user has stopped it, and not started it since. */
  readonly stoppedByHand: boolean;
  /** When its program was last started: RFC 3339, UTC. */
  readonly started?: string;
  /** The last end of an init that was told of; what follows of it was decided then. */
  readonly lastEnd?: LastEnd;
}

/** An end of init. Without a record it is lost how that ended. */
interface LastEnd extends ProcessName {
  readonly exit?: ExitRecord;
}

/** Reads supervised.json of a state directory; undefined for a container without a monitor. */
export function readSupervised(directory: string): Supervised | undefined {
  const file = `${directory}/${SUPERVISED}`;
  const text = readRecord(file);
  return text === undefined ? undefined : parseSupervised(file, text);
}

/** Replaces supervised.json in one step. */
export function writeSupervised(directory: string, supervised: Supervised): void {
  writeRecord(`${directory}/${SUPERVISED}`, supervised);
}

function parseSupervised(file: string, text: string): Supervised {
  const record = RecordReader.parse(file, text);
  const persist = record.textIfAny("persist");
  const nextStart = record.timeIfAny("nextStart");
  const started = record.timeIfAny("started");
  const lastEnd = record.withinIfAny("lastEnd");
  return {
    labels: record.texts("labels"),
    restart: parseRestart(record.within("restart")),
    stopTimeout: record.count("stopTimeout"),
    log: parseLog(record.within("log")),
    interactive: record.flag("interactive"),
    ...(persist !== undefined && { persist }),
    monitor: parseMonitor(record.within("monitor")),
    create: parseCreate(record.within("create")),
    restarts: record.count("restarts"),
    lastDelay: record.count("lastDelay"),
    ...(nextStart !== undefined && { nextStart }),
    ...optional("failure", record.textIfAny("failure")),
    stoppedByHand: record.flag("stoppedByHand"),
    ...(started !== undefined && { started }),
    ...(lastEnd && { lastEnd: parseLastEnd(lastEnd) }),
  };
}

function parseLastEnd(record: RecordReader): LastEnd {
  const exit = record.withinIfAny("exit");
  return { ...processName(record), ...(exit && { exit: exitOf(exit) }) };
}

function parseRestart(record: RecordReader): RestartRule {
  const most = record.countIfAny("most");
  return {
    policy: record.word("policy", RESTART_POLICIES),
    ...(most !== undefined && { most }),
    delay: record.count("delay"),
  };
}

function parseLog(record: RecordReader): LogSettings {
  return {
    driver: record.word("driver", LOG_DRIVERS),
    path: record.text("path"),
    maxSize: record.count("maxSize"),
    maxFiles: record.count("maxFiles"),
  };
}

function parseMonitor(record: RecordReader): MonitorRecord {
  const cgroup = record.withinIfAny("cgroup");
  return {
    ...processName(record),
    bootId: record.text("bootId"),
    ...(cgroup && {
      cgroup: {
        kind: cgroup.word("kind", ["v1", "v2", "systemd", "disabled"]),
        path: cgroup.text("path"),
        ...optional("scope", cgroup.textIfAny("scope")),
        paths: cgroup.texts("paths"),
      },
    }),
  };
}

function parseCreate(record: RecordReader): CreateRequest {
  const chosen = <const W extends string>(name: string, words: readonly W[]) =>
    record.textIfAny(name) === undefined ? undefined : record.word(name, words);
  return {
    bundle: record.text("bundle"),
    ...optional("pidFile", record.textIfAny("pidFile")),
    ...optional("createTimeout", record.countIfAny("createTimeout")),
    ...optional("umask", record.countIfAny("umask")),
    ...optional("noPivot", record.flagIfAny("noPivot")),
    ...optional("noNewKeyring", record.flagIfAny("noNewKeyring")),
    ...optional("cgroupManager", chosen("cgroupManager", ["cgroupfs", "systemd", "disabled"])),
    ...optional("rootless", chosen("rootless", ["auto", "true", "false"])),
  };
}

function optional<K extends string, V>(name: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : { [name]: value } as { [P in K]?: V };
}
