/** Asking systemd, with a deadline for each call and each job (org.freedesktop.systemd1(5)). */

import {
  Bus,
  BusError,
  type BusMessage,
  type BusObject,
  type BusValue,
} from "../../../ffi/systemd.ts";
import type { Caller } from "../../base/caller.ts";
import { quote, RuntsError } from "../../base/errors.ts";
import { load } from "../../runtime/load.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { Property } from "./properties.ts";

/** For a call, and for the job that it starts, in ms. */
const DEADLINE = 30_000;

const MANAGER: BusObject = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
};
const BUS: BusObject = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};
const JOB_REMOVED = `type='signal',path='${MANAGER.path}',interface='${MANAGER.interface}',` +
  "member='JobRemoved'";

const SYSTEM_SOCKET = "/run/dbus/system_bus_socket";
/** Where systemd itself listens, without a bus between: for root, on hosts without D-Bus. */
const PRIVATE_SOCKET = "/run/systemd/private";

/** Whether systemd's user manager is the one to ask: for all but real root. */
export function isUserManager({ caller }: Runtime): boolean {
  return caller.uid !== 0 || outerUid(caller) !== 0;
}

/** The user id outside of the user namespace that the caller may be in. */
function outerUid({ proc, uid }: Caller): number {
  const [inside, outside] = Deno.readTextFileSync(`${proc}/uid_map`).trim().split(/\s+/);
  return Number(outside) + uid - Number(inside);
}

/** A connection to a manager. */
export class Systemd {
  readonly #bus: Bus;
  readonly #isPeer: boolean;
  #watching = false;

  private constructor(bus: Bus, isPeer: boolean) {
    this.#bus = bus;
    this.#isPeer = isPeer;
  }

  /** Connects to the system's or to the user's manager. */
  static async open(runtime: Runtime, user: boolean): Promise<Systemd> {
    const { helper, caller } = await load(runtime);
    const [address, isPeer] = user ? [userAddress(caller), false] : systemAddress(caller);
    try {
      return new Systemd(Bus.open(helper, address, !isPeer), isPeer);
    } catch (error) {
      throw new RuntsError(`reach ${user ? "the user's systemd" : "systemd"}`, {
        cause: error,
        hint: user
          ? "log in, or enable lingering: loginctl enable-linger"
          : "systemd does not run here: use --cgroup-manager=cgroupfs",
      });
    }
  }

  /** Uses a connection and closes it. */
  static async with<T>(
    runtime: Runtime,
    user: boolean,
    body: (systemd: Systemd) => Promise<T>,
  ): Promise<T> {
    const systemd = await Systemd.open(runtime, user);
    try {
      return await body(systemd);
    } finally {
      systemd.#bus.close();
    }
  }

  /** The cgroup that the manager has for itself, "" for the root. */
  async controlGroup(): Promise<string> {
    const object = { ...MANAGER, interface: "org.freedesktop.DBus.Properties" };
    const values: BusValue[] = [["s", MANAGER.interface], ["s", "ControlGroup"]];
    const path = await this.#bus.call(object, "Get", values, DEADLINE, (m) => m.readVariantText());
    return path === "/" ? "" : path;
  }

  /** Starts a transient unit. `requested` is called as soon as there may be a unit. */
  async start(
    unit: string,
    properties: readonly Property[],
    requested: () => void,
  ): Promise<void> {
    const values: BusValue[] = [
      ["s", unit],
      ["s", "fail"],
      ["a(sv)", properties],
      ["a(sa(sv))", []],
    ];
    const request = async () => {
      const job = await this.#call("StartTransientUnit", values, (reply) => reply.readText("o"));
      requested();
      return job;
    };
    await this.#watch();
    const again = async (error: unknown) => {
      if (!isNamed(error, "UnitExists")) throw error;
      // One that failed earlier stays until it is forgotten.
      await this.resetFailed(unit);
      return await request();
    };
    const job = await request().catch(again).catch((error) => {
      throw isNamed(error, "UnitExists") ? taken(unit) : error;
    });
    const result = await this.#finished(job, unit);
    if (result === "done") return;
    await this.resetFailed(unit);
    throw new RuntsError(`start unit ${quote(unit)}`, { cause: `its job ended with "${result}"` });
  }

  /** Throws where there is a unit of this name. */
  async refuseTaken(unit: string): Promise<void> {
    try {
      await this.#call("GetUnit", [["s", unit]], () => undefined);
    } catch (error) {
      if (isNamed(error, "NoSuchUnit")) return;
      throw error;
    }
    throw taken(unit);
  }

  /** Stops a unit and forgets it; it is no error when there is none. */
  async stop(unit: string): Promise<void> {
    await this.#watch();
    try {
      const values: BusValue[] = [["s", unit], ["s", "replace"]];
      const job = await this.#call("StopUnit", values, (reply) => reply.readText("o"));
      await this.#finished(job, unit);
    } catch (error) {
      if (!isNamed(error, "NoSuchUnit")) throw error;
    }
    await this.resetFailed(unit);
  }

  /** Changes properties for as long as the unit lives. */
  async setProperties(unit: string, properties: readonly Property[]): Promise<void> {
    const values: BusValue[] = [["s", unit], ["b", true], ["a(sv)", properties]];
    await this.#call("SetUnitProperties", values, () => undefined);
  }

  /** Moves processes into the unit's cgroup, or into one below it. */
  async attach(unit: string, sub: string, pids: readonly number[]): Promise<void> {
    const values: BusValue[] = [["s", unit], ["s", sub], ["au", pids]];
    await this.#call("AttachProcessesToUnit", values, () => undefined);
  }

  /** Lets systemd forget a unit that failed. */
  async resetFailed(unit: string): Promise<void> {
    try {
      await this.#call("ResetFailedUnit", [["s", unit]], () => undefined);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
    }
  }

  #call<T>(
    member: string,
    values: readonly BusValue[],
    read: (reply: BusMessage) => T,
  ): Promise<T> {
    return this.#bus.call(MANAGER, member, values, DEADLINE, read);
  }

  /** Has the bus pass on the ends of jobs. A peer sends them anyway. */
  async #watch(): Promise<void> {
    if (this.#watching || this.#isPeer) return;
    await this.#bus.call(BUS, "AddMatch", [["s", JOB_REMOVED]], DEADLINE, () => undefined);
    this.#watching = true;
  }

  async #finished(job: string, unit: string): Promise<string> {
    const result = await this.#bus.signal(MANAGER.interface, "JobRemoved", DEADLINE, (signal) => {
      signal.readNumber();
      if (signal.readText("o") !== job) return undefined;
      signal.readText("s");
      return signal.readText("s");
    });
    if (result !== undefined) return result;
    throw new RuntsError(`wait for job ${quote(job)} of unit ${quote(unit)}`, {
      cause: `systemd has not ended it after ${DEADLINE / 1000} s`,
    });
  }
}

function taken(unit: string): RuntsError {
  return new RuntsError(`start unit ${quote(unit)}`, {
    configPath: "linux.cgroupsPath",
    cause: "there is a unit of this name already",
    hint: "another container may have it: give this one another name",
  });
}

/** Whether systemd gave its error this name. */
function isNamed(error: unknown, name: string): boolean {
  return error instanceof BusError && error.busName === `org.freedesktop.systemd1.${name}`;
}

function systemAddress(caller: Caller): [string, boolean] {
  const given = caller.variable("DBUS_SYSTEM_BUS_ADDRESS");
  if (given !== undefined) return [given, false];
  if (exists(SYSTEM_SOCKET) || !exists(PRIVATE_SOCKET)) {
    return [`unix:path=${SYSTEM_SOCKET}`, false];
  }
  return [`unix:path=${PRIVATE_SOCKET}`, true];
}

function userAddress(caller: Caller): string {
  const given = caller.variable("DBUS_SESSION_BUS_ADDRESS");
  if (given !== undefined) return given;
  const directory = caller.variable("XDG_RUNTIME_DIR") ?? `/run/user/${outerUid(caller)}`;
  return `unix:path=${directory}/bus`;
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
