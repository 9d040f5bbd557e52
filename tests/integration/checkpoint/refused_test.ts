/** checkpoint and restore that fail: one line says why, and the container or the host is as it was. */

import { assertEquals, assertMatch } from "@std/assert";
import { idle } from "../../support/bundle.ts";
import {
  checkpointTest,
  KEEPER,
  type Restorable,
  WITH_CRIU_RUNTS_ONLY,
} from "../../support/criu.ts";
import { RUNTS_ONLY } from "../../support/runtime.ts";

/** Starts a container that sleeps. */
async function sleep({ runtime, bundle, id }: Restorable): Promise<void> {
  idle(bundle.config);
  bundle.save();
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
}

/** A verb with an executable in the place of criu. */
async function withStandIn(
  { runtime, bundle, id }: Restorable,
  script: string | undefined,
): Promise<string> {
  const path = `${bundle.path}/criu`;
  if (script !== undefined) Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const image = ["--image-path", `${bundle.path}/image`];
  const { code, stdout, stderr } = await runtime.run(["--criu", path, "checkpoint", ...image, id]);
  assertEquals({ code, stdout }, { code: 1, stdout: "" });
  assertEquals((await runtime.state(id)).status, "running");
  return stderr.replaceAll(bundle.path, "BUNDLE").replaceAll(id, "ID");
}

for (
  const [name, script, message] of [
    [
      "that is missing",
      undefined,
      'start criu: exec: "BUNDLE/criu": stat BUNDLE/criu: no such file or directory',
    ],
    ["that ends at once", "exit 3", "criu ended without an answer"],
    // criu_resp: type VERSION, success, version { major 3, minor 11 }
    [
      "that is too old",
      "printf '\\010\\012\\020\\001\\122\\004\\010\\003\\020\\013' >&3",
      "criu is of version 3.11: it must be 3.16 or newer",
    ],
  ] as const
) {
  checkpointTest(
    `a criu ${name} is told of, and the container goes on`,
    async (container) => {
      await sleep(container);
      const stderr = await withStandIn(container, script);
      assertEquals(stderr, `runts: checkpoint "ID": ${message}\n`);
      await container.delete();
    },
    undefined,
    RUNTS_ONLY,
  );
}

checkpointTest(
  "a container is taken that runs, and no other",
  async (container) => {
    const { runtime, bundle, id } = container;
    const refused = async () => {
      const { code, stderr } = await runtime.run(["checkpoint", id]);
      return { code, stderr: stderr.replace(id, "ID") };
    };
    const error = (text: string) => ({ code: 1, stderr: `runts: checkpoint "ID": ${text}\n` });
    assertEquals(await refused(), error("container does not exist"));
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    assertEquals(await refused(), error("cannot checkpoint a container that is created"));
    await runtime.ok(["kill", id, "KILL"]);
    await runtime.untilStopped(id);
    assertEquals(await refused(), error("cannot checkpoint a container that is stopped"));
    await runtime.ok(["delete", id]);
  },
  undefined,
  RUNTS_ONLY,
);

checkpointTest(
  "what cannot be meant is refused before criu is started",
  async (container) => {
    const { runtime, bundle, id } = container;
    await sleep(container);
    const image = `${bundle.path}/image`;
    const errors: Record<string, string> = {};
    for (
      const options of [
        ["--parent-path", "/before"],
        ["--parent-path", "before"],
        ["--image-path", `${bundle.path}/a/b`],
        ["--image-path", `${bundle.path}/config.json`],
      ]
    ) {
      const line = ["--criu", "/bin/false", "checkpoint", "--image-path", image, ...options, id];
      const { code, stderr } = await runtime.run(line);
      assertEquals(code, 1);
      errors[options.join(" ").replaceAll(bundle.path, "BUNDLE")] = stderr
        .replaceAll(bundle.path, "BUNDLE").replaceAll(id, "ID");
    }
    assertEquals(errors, {
      "--parent-path /before":
        'runts: checkpoint "ID": parent path "/before" is absolute: it begins at the image, "BUNDLE/image": ../before\n',
      "--parent-path before":
        'runts: checkpoint "ID": parent path "before": there is no such directory: it begins at the image, "BUNDLE/image"\n',
      "--image-path BUNDLE/a/b":
        'runts: checkpoint "ID": make image directory "BUNDLE/a/b": ENOENT (no such file or directory)\n',
      "--image-path BUNDLE/config.json":
        'runts: checkpoint "ID": image directory "BUNDLE/config.json" is not a directory\n',
    });
    const server = ["--page-server", "nowhere"];
    const { stderr } = await runtime.run(["checkpoint", "--image-path", image, ...server, id]);
    assertMatch(stderr, /page server "nowhere" is not of the form ADDRESS:PORT|criu/);
    await container.delete();
  },
  undefined,
  RUNTS_ONLY,
);

checkpointTest("what criu refuses is named, and the container goes on", async (container) => {
  const { runtime, bundle, id } = container;
  await container.run();
  for (const options of [[], ["--leave-running"]]) {
    const { code, stderr } = await container.verb("checkpoint", ...options);
    assertEquals(code, 1);
    assertMatch(
      stderr.replaceAll(bundle.path, "BUNDLE"),
      /^runts: checkpoint "[^"]*": criu failed: .*ghost.*: its log is "BUNDLE\/image\/dump\.log"\n$/i,
    );
    assertEquals((await runtime.state(id)).status, "running");
    assertEquals((await runtime.run(["exec", id, "true"])).code, 0);
  }
  await container.assertKept();
  await container.delete();
}, (config) => {
  // A file without a name, which criu takes up to a mebibyte.
  config.process.args = [
    ...["sh", "-c"],
    "head -c 3000000 /dev/zero > /tmp/big; exec 3< /tmp/big; rm /tmp/big; " + KEEPER.at(-1),
  ];
}, WITH_CRIU_RUNTS_ONLY);

checkpointTest(
  "a restore that fails leaves nothing",
  async (container) => {
    const { runtime, bundle, id } = container;
    await container.run();
    await container.ok("checkpoint");
    const image = `${bundle.path}/image`;
    const restore = async (...options: string[]) => {
      const { code, stderr } = await container.verb("restore", "--detach", ...options);
      assertEquals(code, 1);
      assertEquals(await runtime.ok(["list", "--quiet"]), "");
      return stderr.replaceAll(bundle.path, "BUNDLE").replaceAll(id, "ID");
    };
    Deno.renameSync(`${image}/inventory.img`, `${image}/kept`);
    assertMatch(
      await restore(),
      /^runts: restore "ID": criu failed: Unexpected EOF on .*: its log is "BUNDLE\/image\/restore\.log"\n$/,
    );
    Deno.renameSync(`${image}/kept`, `${image}/inventory.img`);
    Deno.renameSync(`${image}/descriptors.json`, `${image}/kept`);
    assertEquals(
      await restore(),
      'runts: restore "ID": read "BUNDLE/image/descriptors.json": ENOENT (no such file or directory): ' +
        "a checkpoint that was made to the end has this file\n",
    );
    Deno.renameSync(`${image}/kept`, `${image}/descriptors.json`);
    bundle.config.linux.namespaces.push({ type: "cgroup", path: "/proc/self/ns/cgroup" });
    bundle.save();
    assertEquals(
      await restore(),
      'runts: restore "ID": linux.namespaces[5].path: criu cannot restore into a cgroup namespace that is ' +
        'there: "/proc/self/ns/cgroup"\n',
    );
    bundle.config.linux.namespaces.pop();
    bundle.save();
    await container.ok("restore", "--detach");
    await container.assertKept();
    await container.delete();
  },
  undefined,
  WITH_CRIU_RUNTS_ONLY,
);

checkpointTest(
  "a hook that fails ends the restore",
  async (container) => {
    const { runtime, bundle, id } = container;
    await container.run();
    await container.ok("checkpoint");
    bundle.config.hooks = { createRuntime: [{ path: "/bin/false" }] };
    bundle.save();
    const { code, stderr } = await container.verb("restore", "--detach");
    assertEquals({ code, stderr: stderr.replace(id, "ID").replace(/ after .* ms/, "") }, {
      code: 1,
      stderr: 'runts: restore "ID": hooks.createRuntime[0]: hook "/bin/false": exit status 1\n',
    });
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  },
  undefined,
  WITH_CRIU_RUNTS_ONLY,
);

checkpointTest(
  "ids that are taken are not restored over",
  async (container) => {
    await container.run();
    await container.ok("checkpoint", "--leave-running");
    const { code, stderr } = await container.verb("restore", "--detach");
    assertEquals({ code, stderr: stderr.replace(container.id, "ID") }, {
      code: 1,
      stderr: 'runts: restore "ID": container with given ID already exists\n',
    });
    await container.assertKept();
    await container.delete();
  },
  undefined,
  WITH_CRIU_RUNTS_ONLY,
);

checkpointTest(
  "a symlink of the image gives no mount the source of its choice",
  async (container) => {
    const { runtime, bundle, id } = container;
    const link = `${bundle.rootfs}/other`;
    const message = (verb: string, name: string) =>
      `runts: ${verb} "ID": name "${name}" to criu: a mount point may not contain "]:": ` +
      "symlinks of the image may have led there\n";
    const refused = async (verb: "checkpoint" | "restore", ...options: string[]) => {
      const { code, stderr } = await container.verb(verb, ...options);
      assertEquals(code, 1);
      return stderr.replace(id, "ID");
    };
    Deno.symlinkSync("/place]:", link);
    await container.run();
    assertEquals(await refused("checkpoint"), message("checkpoint", "/place]:"));
    assertEquals((await runtime.state(id)).status, "running");
    await container.delete();

    Deno.removeSync(link);
    for (const name of ["waits", "go", "said"]) {
      await Deno.remove(`${bundle.rootfs}/tmp/${name}`).catch(() => {});
    }
    await container.run();
    await container.ok("checkpoint");
    // criu keeps it as "mnt[/data]:/etc]:…/other", which would be a source of /data.
    await Deno.remove(link);
    Deno.symlinkSync("/data]:/etc", link);
    assertEquals(await refused("restore", "--detach"), message("restore", "/data]:/etc"));
    assertEquals(await runtime.ok(["list", "--quiet"]), "");
  },
  (config, bundle) => {
    for (const name of ["data", "other"]) {
      Deno.mkdirSync(`${bundle.path}/${name}`);
      const source = `${bundle.path}/${name}`;
      config.mounts.push({ destination: `/${name}`, source, options: ["bind"] });
    }
  },
  WITH_CRIU_RUNTS_ONLY,
);
