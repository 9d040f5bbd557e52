/** SCMP_ACT_NOTIFY: an agent outside answers the system calls of a container. */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { addPayload } from "../../support/payload.ts";
import { command, PEER, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";
import { number } from "../../support/seccomp.ts";
import { type Answer, type Question, SeccompAgent } from "../../support/seccomp_agent.ts";

/** A container, and an agent that is asked about some system calls of it. */
class Notified implements AsyncDisposable {
  readonly bundle: Bundle;

  private constructor(readonly agent: SeccompAgent, bundle: Bundle) {
    this.bundle = bundle;
  }

  static async make(
    names: string[],
    edit: (config: Config) => void,
    answer?: (question: Question) => Answer,
  ): Promise<Notified> {
    const bundle = new Bundle();
    const path = `${bundle.path}/agent.sock`;
    bundle.config.linux.seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      listenerPath: path,
      syscalls: [{ names, action: "SCMP_ACT_NOTIFY" }],
    };
    edit(bundle.config);
    bundle.save();
    await addPayload(bundle, "syscalls");
    return new Notified(await SeccompAgent.open(path, answer), bundle);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent[Symbol.asyncDispose]();
    this.bundle[Symbol.dispose]();
  }
}

async function inspected(runtime: TestRuntime, notified: Notified): Promise<string> {
  return await runtime.ok(["run", "--bundle", notified.bundle.path, runtime.id()]);
}

Deno.test("the agent gets the state of the container and answers for the kernel", {
  ignore: PEER === "crun", // it loads the filter at start
}, async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["getppid", "getpgrp", "mkdirat"], (config) => {
      config.process.args = ["/bin/syscalls", `${number("getppid")}`, `${number("getpgrp")}`]
        .concat(`${number("mkdirat")},5,6,7`);
      config.linux.seccomp.listenerMetadata = "some words";
      config.annotations = { "org.example.a": "b" };
    }, ({ number: called }) => {
      if (called === number("getppid")) return { error: 77 };
      return called === number("getpgrp") ? { result: 4242 } : "continue";
    });
    const { agent, bundle } = notified;
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    const { pid } = await runtime.state(id);
    const [{ ociVersion, state, ...message }] = await agent.received(1);
    assertEquals(message, { fds: ["seccompFd"], pid, metadata: "some words" });
    assertMatch(ociVersion, /^1\./);
    assertEquals([state.id, state.status, state.pid], [id, "creating", pid]);
    assertEquals(state.bundle, bundle.path);
    assertEquals(state.annotations["org.example.a"], "b");
    await runtime.ok(["delete", "--force", id]);
    assertEquals(await inspected(runtime, notified), "errno 77\n4242\nerrno 14\n");
    const [question] = agent.questions.filter((each) => each.number === number("mkdirat"));
    assertEquals(question!.args.slice(0, 3), [5n, 6n, 7n]);
  });
});

Deno.test("the agent gets a state of any length", {
  ignore: PEER === "crun", // as above
}, async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["getppid"], (config) => {
      config.process.args = ["true"];
      config.annotations = { long: "x".repeat(3 << 20) };
    });
    await runtime.ok(["run", "--bundle", notified.bundle.path, runtime.id()]);
    const [{ state }] = await notified.agent.received(1);
    assertEquals(state.annotations.long.length, 3 << 20);
  });
});

/** What init itself calls under the filter, and more. */
const DELICATE = ["execve", "openat", "close", "fcntl", "sendmsg", "recvmsg", "read", "capset"];

Deno.test("a filter on what init calls itself does not lock it up", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (const name of [...DELICATE, "write", "prctl", "exit_group", "futex", "mmap", "all"]) {
      const names = name === "all" ? DELICATE : [name];
      for (const noNewPrivileges of [true, false]) {
        await using notified = await Notified.make(names, (config) => {
          config.process.args = ["/bin/syscalls", "status"];
          config.process.noNewPrivileges = noNewPrivileges;
        });
        const output = await inspected(runtime, notified);
        assertMatch(output, /Seccomp:\t2\n$/, name);
        assertEquals((await notified.agent.received(1)).length, 1, name);
      }
    }
  });
});

Deno.test("execve can be asked about, from create to exec", async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["execve"], (config) => {
      config.process.args = ["sleep", "1000"];
    });
    const { agent, bundle } = notified;
    const id = runtime.id();
    await runtime.ok(["create", "--bundle", bundle.path, id]);
    await runtime.ok(["start", id]);
    assertEquals(await runtime.ok(["exec", id, "echo", "hello"]), "hello\n");
    assertEquals(agent.count(number("execve")), 2);
    const { pid } = await runtime.state(id);
    const [first, second] = await agent.received(2);
    assertEquals([first.fds, second.fds], [["seccompFd"], ["seccompFd"]]);
    assertEquals([first.pid, first.state.pid], [pid, pid]);
    if (PEER === "runts") assertEquals([second.state.status, second.state.pid], ["running", pid]);
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("a monitor fetches the listeners of its children", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["execve"], (config) => {
      config.process.args = ["sleep", "1000"];
    });
    const { agent, bundle } = notified;
    const id = runtime.id();
    await runtime.ok(["run", "--detach", "--supervised", "--bundle", bundle.path, id]);
    assertEquals(await runtime.ok(["exec", "--supervised", id, "echo", "hello"]), "hello\n");
    const { pid } = await runtime.state(id);
    const [first, second] = await agent.received(2);
    assertEquals([first.pid, first.state.pid, second.state.pid], [pid, pid, pid]);
    await runtime.ok(["delete", "--force", id]);
  });
});

Deno.test("the agent may forbid the program", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["execve"], () => {}, () => ({ error: 13 }));
    const id = runtime.id();
    const output = await runtime.run(["run", "--bundle", notified.bundle.path, id]);
    assertEquals(output, {
      code: 1,
      stdout: "",
      stderr: `runts: run "${id}": process.args: exec: "/bin/true": permission denied\n`,
    });
  });
});

Deno.test("an annotation may name the agent", { ignore: PEER === "runc" }, async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["getppid"], (config) => {
      config.process.args = ["/bin/syscalls", `${number("getppid")}`];
      config.annotations = { "run.oci.seccomp.receiver": config.linux.seccomp.listenerPath };
      delete config.linux.seccomp.listenerPath;
    }, () => ({ result: 4242 }));
    assertEquals(await inspected(runtime, notified), "4242\n");
  });
});

Deno.test("a container of its own user namespace can be asked about", async () => {
  await withRuntime(async (runtime) => {
    await using notified = await Notified.make(["getppid"], (config) => {
      config.process.args = ["/bin/syscalls", `${number("getppid")}`];
      config.process.user = { uid: 5, gid: 5 };
      config.linux.namespaces.push({ type: "user" });
      config.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }];
      config.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }];
    }, () => ({ result: 4242 }));
    Deno.chmodSync(notified.bundle.rootfs, 0o755);
    assertEquals(await inspected(runtime, notified), "4242\n");
  });
});

Deno.test("a container of a user without privileges can be asked about", RUNTS_ONLY, async () => {
  const nobody = 65534;
  const root = Deno.makeTempDirSync({ prefix: "runts-rootless-" });
  const executable = `${root}.executable`; // the project may lie where only its owner gets
  try {
    Deno.copyFileSync(RUNTIME, executable);
    Deno.chownSync(root, nobody, nobody);
    await using notified = await Notified.make(["getppid"], ({ process, linux, ...config }) => {
      process.args = ["/bin/syscalls", `${number("getppid")}`];
      process.capabilities = {};
      process.noNewPrivileges = false;
      linux.namespaces = ["user", "mount", "pid", "ipc", "uts"].map((type) => ({ type }));
      linux.uidMappings = [{ containerID: 0, hostID: nobody, size: 1 }];
      linux.gidMappings = [{ containerID: 0, hostID: nobody, size: 1 }];
      config.mounts.splice(2); // the others take more ids, or a network namespace
    }, () => ({ result: 4242 }));
    const { bundle, agent } = notified;
    Deno.chmodSync(agent.path, 0o666);
    const user = ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups"];
    const id = `rootless-${Deno.pid}`;
    const run = ["--root", root, "run", "--bundle", bundle.path, id];
    const output = await command([...user, executable, ...run]);
    assertEquals(output, { code: 0, stdout: "4242\n", stderr: "" });
    assertEquals((await agent.received(1)).length, 1);
  } finally {
    Deno.removeSync(executable);
    Deno.removeSync(root, { recursive: true });
  }
});

Deno.test("a listener that nobody takes fails the creation", RUNTS_ONLY, async () => {
  await withRuntime(async (runtime) => {
    for (const noNewPrivileges of [true, false]) {
      await using notified = await Notified.make(["getppid"], (config) => {
        config.process.noNewPrivileges = noNewPrivileges;
        config.linux.seccomp.listenerPath += ".missing";
      });
      const { path } = notified.bundle;
      const id = runtime.id();
      const output = await runtime.run(["create", "--bundle", path, id]);
      const socket = JSON.stringify(`${path}/agent.sock.missing`);
      assertEquals(output, {
        code: 1,
        stdout: "",
        stderr: `runts: create "${id}": linux.seccomp.listenerPath: pass the seccomp listener to ` +
          `${socket}: ENOENT (no such file or directory)\n`,
      });
      assertEquals((await runtime.run(["state", id])).code, 1);
    }
  });
});
