/** Once the program has run its exit code counts, and once a container is gone it is deleted. */

import { assertEquals } from "@std/assert";
import { loadHelper } from "../../../ffi/helper.ts";
import { Bundle } from "../../support/bundle.ts";
import { exists } from "../../support/look.ts";
import { withRuntime } from "../../support/host.ts";
import { hook } from "../../support/hooks.ts";
import { openPty } from "../../support/pty.ts";
import { commandLine, RUNTS_ONLY, until } from "../../support/runtime.ts";

Deno.test(
  "run gives the exit code although the container cannot be deleted",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const id = runtime.id();
      const status = `${runtime.root}/${id}/status`;
      bundle.config.process.args = ["sh", "-c", "sleep 0.3; exit 7"];
      bundle.config.hooks = { poststart: [hook(`echo '{"pid":' >${status}`)] };
      bundle.save();
      const { code, stdout, stderr } = await runtime.run(["run", "--bundle", bundle.path, id]);
      const start = `runts: warning: clean up "${id}": read status file "${status}": `;
      assertEquals([code, stdout, stderr.slice(0, start.length)], [7, "", start]);
      assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
      await runtime.ok(["delete", "--force", id]);
    });
  },
);

Deno.test(
  "run and exec give the exit code although the terminal has hung up",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle((config) => config.root.readonly = false);
      const { config } = bundle;
      const script = "trap '' HUP; : >/ready; until [ -e /go ]; do sleep 0.05; done; exit 7";
      const sleeper = runtime.id();
      config.process.args = ["sleep", "1000"];
      bundle.save();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, sleeper]);
      Object.assign(config.process, { args: ["sh", "-c", script], terminal: true });
      bundle.save();
      const helper = await loadHelper();
      for (
        const words of [
          ["run", "--bundle", bundle.path, runtime.id()],
          ["exec", "--tty", sleeper, "sh", "-c", script],
        ]
      ) {
        const errors = `${bundle.path}/errors`;
        const { master, path } = openPty();
        const line = commandLine(runtime.executable, ["--root", runtime.root, ...words]);
        const process = new Deno.Command("sh", {
          args: ["-c", `exec setsid -c "$@" <>${path} >&0 2>${errors}`, "sh", ...line],
          stdin: "null",
        }).spawn();
        const inside = (name: string) => `${bundle.rootfs}/${name}`;
        await until("it is ready", () => exists(inside("ready")));
        helper.close(master);
        Deno.writeTextFileSync(inside("go"), "");
        const { code } = await process.status;
        assertEquals([code, Deno.readTextFileSync(errors)], [7, ""], words[0]);
        for (const name of ["ready", "go"]) Deno.removeSync(inside(name));
      }
      await runtime.ok(["delete", "--force", sleeper]);
    });
  },
);

Deno.test(
  "a container is gone, and its poststop hooks run, although its directory stays",
  RUNTS_ONLY,
  async () => {
    await withRuntime(async (runtime) => {
      using bundle = new Bundle();
      const id = runtime.id();
      const [directory, ran] = [`${runtime.root}/${id}`, `${bundle.path}/ran`];
      const { config } = bundle;
      config.process.args = ["sleep", "1000"];
      config.hooks = { poststop: [hook(`: >${ran}`)] };
      bundle.save();
      await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
      const busy = `${directory}/busy`;
      Deno.mkdirSync(busy);
      const mount = async (...args: string[]) => {
        const { success } = await new Deno.Command(args[0]!, { args: args.slice(1) }).output();
        assertEquals(success, true, args.join(" "));
      };
      await mount("mount", "-t", "tmpfs", "tmpfs", busy);
      const output = await runtime.run(["delete", "--force", id]);
      const [left] = [...Deno.readDirSync(runtime.root)].filter(({ name }) => name !== ".seccomp")
        .map(({ name }) => name).filter((name) => exists(`${runtime.root}/${name}/busy`));
      await mount("umount", `${runtime.root}/${left}/busy`);
      assertEquals(output, {
        code: 0,
        stdout: "",
        stderr: `runts: warning: remove state directory "${directory}": ` +
          "EBUSY (device or resource busy)\n",
      });
      assertEquals(exists(ran), true);
      assertEquals((await runtime.run(["state", id])).code, 1);
      await runtime.ok(["delete", "--force", id]); // takes away what was left
    });
  },
);
