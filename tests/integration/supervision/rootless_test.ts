/** Supervised containers of an ordinary user. */

import { assertEquals } from "@std/assert";
import { OURS, rootless, shell } from "../../support/rootless.ts";

rootless("a supervised container is started anew, waited for and deleted", async (user) => {
  using bundle = await user.bundle(shell("echo life; exit 5"));
  const id = user.name();
  const words = ["--restart", "on-failure:1", "--bundle", bundle.path, id];
  const quiet = { code: 0, stdout: "", stderr: "" };
  assertEquals(await user.run(["run", "--detach", ...words]), quiet);
  assertEquals(await user.run(["wait", id]), { ...quiet, stdout: "5\n" });
  assertEquals(await user.run(["logs", id]), { ...quiet, stdout: "life\nlife\n" });
  const { stdout } = await user.run(["list", "--format", "json"]);
  const [{ supervision }] = JSON.parse(stdout);
  assertEquals([supervision.exitCode, supervision.restarts], [5, 1]);
  assertEquals(await user.run(["delete", id]), quiet);
}, OURS);
