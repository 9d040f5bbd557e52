/** What a limit of 0 processes is: none before 1.3 of the specification, one that holds since. */

import { assertEquals } from "@std/assert";
import { Bundle } from "../../support/bundle.ts";
import { cgroupTest, held } from "../../support/cgroups.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";

async function withLimit(
  ociVersion: string,
  limit: number,
  body: (runtime: TestRuntime, id: string, max: () => string) => Promise<void>,
): Promise<void> {
  await withRuntime(async (runtime) => {
    const id = runtime.id();
    using bundle = new Bundle((config) => {
      config.ociVersion = ociVersion;
      config.process.args = ["sleep", "1000"];
      config.linux.resources = { pids: { limit } };
    });
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    await body(runtime, id, () => held(pid, "pids", "pids.max"));
    await runtime.ok(["delete", "--force", id]);
  });
}

cgroupTest("before 1.3 a limit of 0 processes is no limit", [], async () => {
  for (const version of ["1.0.2-dev", "1.2.1"]) {
    await withLimit(version, 0, async (_runtime, _id, max) => {
      assertEquals(max(), "max", version);
      await Promise.resolve();
    });
  }
});

cgroupTest("before 1.3 every negative limit of processes is no limit", [], async () => {
  await withLimit("1.0.2", -5, async (_runtime, _id, max) => {
    assertEquals(max(), "max");
    await Promise.resolve();
  });
});

cgroupTest("since 1.3 a limit of 0 processes leaves init alone", [], async () => {
  await withLimit("1.3.0", 0, async (_runtime, _id, max) => {
    assertEquals(max(), "1");
    await Promise.resolve();
  });
});

cgroupTest("update takes 0 processes for what they are in the configuration", [], async () => {
  for (const [version, expected] of [["1.0.2-dev", "max"], ["1.3.0", "1"]] as const) {
    await withLimit(version, 20, async (runtime, id, max) => {
      await runtime.ok(["update", "--pids-limit", "0", id]);
      assertEquals(max(), expected);
      await runtime.ok(["update", "--pids-limit", "7", id]);
      assertEquals(max(), "7");
      await runtime.ok(["update", "-r", "-", id], { stdin: '{"pids":{"limit":0}}' });
      assertEquals(max(), expected);
      await runtime.ok(["update", "--pids-limit", "-1", id]);
      assertEquals(max(), "max");
    });
  }
});
