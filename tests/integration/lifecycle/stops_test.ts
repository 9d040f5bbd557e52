/**
 * SIGKILL to runts, to stage 1 and to stage 2 of init at every message of their conversation: what is
 * left is listed and goes with `delete --force`, and a runts that survives names the cause.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { mountsOn, type TestRuntime, withRuntime } from "../../support/host.ts";
import { userNamespace } from "../../support/inside.ts";
import { SIGKILL } from "../../../lib/spec/values/signals.ts";
import { asIfTold, RUNTIME, RUNTS_ONLY, until } from "../../support/runtime.ts";
import {
  isLeft,
  type Role,
  type Stop,
  STOPS_FOLDER,
  walk,
  type Walked,
} from "../../support/stops.ts";
import { withStops } from "../../support/stops.ts";

const ROLES: readonly Role[] = ["runts", "stage 1", "stage 2"];

interface Scene {
  readonly runtime: TestRuntime;
  readonly bundle: Bundle;
  /** Runs a command with stops; `inits` as in {@linkcode walk}. */
  go(
    args: readonly string[],
    at?: (stop: Stop) => Role | undefined,
    inits?: Walked["inits"],
  ): Promise<Walked>;
}

function scene(name: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name,
    ...RUNTS_ONLY,
    fn: () =>
      withRuntime(async (runtime) => {
        using bundle = new Bundle((config) => config.process.args = ["sleep", "1000"]);
        const line = [...await withStops(bundle.path), "--root", runtime.root];
        let deaths = 0;
        const go: Scene["go"] = async (args, at = () => undefined, inits = new Map()) => {
          const walked = await walk([...line, ...args], at, inits);
          if (walked.killed?.role === "runts") deaths++;
          return walked;
        };
        await body({ runtime, bundle, go });
        assert(deaths >= 3, `runts was killed ${deaths} times`);
      }),
  });
}

const words = ({ role, name, nth }: Stop) => `${role} ${name} ${nth}`;

/** A victim for each stop, by the order of a command that nobody disturbs. */
function victims(stops: readonly Stop[], roles = ROLES): [stop: string, victim: Role][] {
  return stops.flatMap((stop, index) => {
    // Nobody can be killed before its first stop, and after its last one stage 2 is the program.
    const seen = stops.slice(0, index + 1);
    const known = roles.filter((role) =>
      role === "runts" || seen.some((one) => one.role === role) &&
        !seen.slice(0, -1).some(({ name }) => role === "stage 2" && name === "@announced")
    );
    return known.map((role) => [words(stop), role] as [string, Role]);
  });
}

const killing = (where: string, victim: Role) => (stop: Stop) =>
  words(stop) === where ? victim : undefined;

/** Nobody of init is left, and nothing of the container once it has been deleted. */
async function assertRemovable({ runtime }: Scene, id: string, walked: Walked): Promise<void> {
  await runtime.assertRemovable(id);
  await until("init is gone", () => ![...walked.inits].some(([pid, init]) => isLeft(pid, init)));
}

/**
 * Whether stage 2 died as init. Processes that do not wait for each other come to their stops in any
 * order: it may not have been there yet, or may have become the program.
 */
const lostInit = ({ killed }: Walked) => killed?.role === "stage 2" && killed.last !== "@announced";

/** Whoever lost its init says so, in one line; only the death of runts goes without words. */
function assertNamed(walked: Walked, where: string, victim: Role, verb: string, id: string): void {
  const { code, stderr, killed } = walked;
  // Where runts stops depends on who is quicker, too.
  if (victim !== "runts" && where.startsWith(victim)) assertEquals(killed?.role, victim, where);
  // Create does not wait for what comes after the last message, and start, which is not the parent,
  // takes the announced execution for done when the parent has been quicker to reap.
  const isDone = verb === "create" || !lostInit(walked) ||
    (verb === "start" && where.startsWith("stage 2 @announced"));
  const fine = [0, 128 + SIGKILL].includes(code) && isDone;
  if (victim === "runts" || fine) return assertEquals(stderr, "", where);
  assert(code !== 0, `${victim} killed at ${where}`);
  assert(stderr.startsWith(`runts: ${verb} "${id}": init ended before `), stderr);
  assertMatch(asIfTold(stderr), /: killed by SIGKILL( \(last stage completed: \w+\))?\n$/);
}

/** Kills each at every message of a create. */
async function disturbCreate(scene: Scene): Promise<Walked> {
  const { runtime, bundle, go } = scene;
  const create = (id: string) => ["create", "--bundle", bundle.path, id];
  const first = runtime.id();
  const undisturbed = await go(create(first));
  assertEquals({ code: undisturbed.code, stderr: undisturbed.stderr }, { code: 0, stderr: "" });
  await assertRemovable(scene, first, undisturbed);
  for (const [where, victim] of victims(undisturbed.stops)) {
    const id = runtime.id();
    const walked = await go(create(id), killing(where, victim));
    const what = `${victim} killed at ${where}: ${walked.code} ${walked.stderr}`;
    if (victim !== "runts") {
      assertNamed(walked, where, victim, "create", id);
      const listed = (await runtime.ok(["list", "--quiet"])).trim();
      assertEquals(listed, walked.code === 0 ? id : "", what);
    } else assertEquals(walked.stderr, "", what);
    await assertRemovable(scene, id, walked);
  }
  return undisturbed;
}

scene("SIGKILL at every message of create", async (scene) => {
  await disturbCreate(scene);
});

scene("SIGKILL at every message of create with a new user namespace", async (scene) => {
  userNamespace(scene.bundle.config);
  scene.bundle.save();
  const { stops } = await disturbCreate(scene);
  // The messages for the maps and of the second clone.
  assert(stops.filter(({ name }) => name === "@heard").length > 3, JSON.stringify(stops));
});

scene("SIGKILL at every message of create on the mounts of the host", async (scene) => {
  const { runtime, bundle, go } = scene;
  const { config } = bundle;
  config.linux.namespaces = [{ type: "pid" }];
  config.linux.maskedPaths = config.linux.readonlyPaths = [];
  delete config.hostname;
  config.mounts = ["proc", "tmp"].map((name) => ({
    destination: `/${name}`,
    type: name === "tmp" ? "tmpfs" : name,
    source: name,
  }));
  bundle.save();
  const create = (id: string) => ["create", "--bundle", bundle.path, id];
  const first = runtime.id();
  const undisturbed = await go(create(first));
  assertEquals({ code: undisturbed.code, stderr: undisturbed.stderr }, { code: 0, stderr: "" });
  assertEquals(mountsOn(bundle), ["", "/proc", "/tmp"]);
  await assertRemovable(scene, first, undisturbed);
  for (const [where, victim] of victims(undisturbed.stops, ["runts", "stage 2"])) {
    const id = runtime.id();
    const walked = await go(create(id), killing(where, victim));
    await assertRemovable(scene, id, walked);
    assertEquals({ where, victim, mounts: mountsOn(bundle) }, { where, victim, mounts: [] });
  }
});

scene("SIGKILL at every message of start", async (scene) => {
  const { runtime, bundle, go } = scene;
  const made = async () => {
    const id = runtime.id();
    return { id, inits: (await go(["create", "--bundle", bundle.path, id])).inits };
  };
  const first = await made();
  const undisturbed = await go(["start", first.id], undefined, first.inits);
  assertEquals(undisturbed.code, 0, undisturbed.stderr);
  await assertRemovable(scene, first.id, undisturbed);
  for (const [where, victim] of victims(undisturbed.stops, ["runts", "stage 2"])) {
    const { id, inits } = await made();
    const walked = await go(["start", id], killing(where, victim), inits);
    const what = `${victim} killed at ${where}: ${walked.code} ${walked.stderr}`;
    assertNamed(walked, where, victim, "start", id);
    const { status } = await runtime.state(id);
    if (victim === "stage 2") {
      assertEquals({ what, status }, { what, status: "stopped" });
    } else if (status === "created") {
      const again = await go(["start", id], undefined, walked.inits);
      assertEquals({ what, ...again }, { ...again, what, code: 0, stderr: "" });
      assertEquals((await runtime.state(id)).status, "running", what);
    } else {
      assertEquals({ what, status }, { what, status: "running" });
      const { stderr } = await runtime.run(["start", id]);
      assertEquals(stderr, `runts: start "${id}": cannot start an already running container\n`);
    }
    await assertRemovable(scene, id, walked);
  }
});

scene("SIGKILL at every message of run", async (scene) => {
  const { runtime, bundle, go } = scene;
  const run = (id: string) => ["run", "--detach", "--bundle", bundle.path, id];
  const first = runtime.id();
  const undisturbed = await go(run(first));
  assertEquals({ code: undisturbed.code, stderr: undisturbed.stderr }, { code: 0, stderr: "" });
  await assertRemovable(scene, first, undisturbed);
  for (const [where, victim] of victims(undisturbed.stops)) {
    const id = runtime.id();
    const walked = await go(run(id), killing(where, victim));
    const what = `${victim} killed at ${where}: ${walked.code} ${walked.stderr}`;
    assertNamed(walked, where, victim, "run", id);
    if (walked.code !== 0 && victim !== "runts") {
      assertEquals(await runtime.ok(["list", "--quiet"]), "", what);
    }
    await assertRemovable(scene, id, walked);
  }
});

scene("SIGKILL at every message of exec", async (scene) => {
  const { runtime, bundle, go } = scene;
  const id = runtime.id();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  const undisturbed = await go(["exec", id, "true"]);
  assertEquals({ code: undisturbed.code, stderr: undisturbed.stderr }, { code: 0, stderr: "" });
  for (const [where, victim] of victims(undisturbed.stops)) {
    const walked = await go(["exec", id, "true"], killing(where, victim));
    assertNamed(walked, where, victim, "exec", id);
    if (lostInit(walked)) assertEquals(walked.code, 255, `${where}: ${walked.stderr}`);
    const alone = async () => JSON.parse(await runtime.ok(["ps", "--format", "json", id])).length;
    await until("nobody else is in it", async () => await alone() === 1);
    assertEquals((await runtime.state(id)).status, "running");
  }
  await runtime.ok(["delete", "--force", id]);
});

scene("SIGKILL at every message of delete", async (scene) => {
  const { runtime, bundle, go } = scene;
  const made = async () => {
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
    return id;
  };
  const undisturbed = await go(["delete", "--force", await made()]);
  assertEquals({ code: undisturbed.code, stderr: undisturbed.stderr }, { code: 0, stderr: "" });
  for (const [where, victim] of victims(undisturbed.stops)) {
    const id = await made();
    await assertRemovable(scene, id, await go(["delete", "--force", id], killing(where, victim)));
  }
});

Deno.test("the release build has no stops", RUNTS_ONLY, () => {
  const decoder = new TextDecoder("latin1");
  const read = (path: string) => decoder.decode(Deno.readFileSync(path));
  const names = ["@answered\0", "@announced\0", "@released\0", "@spawned\0"];
  const found = (text: string) => names.filter((name) => text.includes(`\0${name}`));
  assertEquals(found(read(`${STOPS_FOLDER}/librunts.so`)), names);
  assertEquals(found(read(RUNTIME)), []);
});
