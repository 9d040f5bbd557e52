/** exec: what a further process in a container is and has. */

import { assert, assertEquals } from "@std/assert";
import { type Config } from "../../support/bundle.ts";
import { PEER, RUNTS_ONLY, until } from "../../support/runtime.ts";
import { execTest, type Seen, signalsOf } from "../../support/seen.ts";

const NONE = () => {};

function ids({ status }: Seen): string[] {
  return [status.Uid!.split("\t")[1]!, status.Gid!.split("\t")[1]!, status.Groups!.trim()];
}

function variable(seen: Seen, name: string): string[] {
  return seen.env.filter((entry) => entry.startsWith(`${name}=`));
}

execTest("joins every namespace and the cgroup of the container", (config) => {
  config.linux.namespaces.push({ type: "cgroup" });
}, async (sleeper) => {
  const { namespaces, status } = await sleeper.seen();
  const pid = await sleeper.pid();
  for (const [name, inode] of Object.entries(namespaces)) {
    assertEquals(inode, Deno.readLinkSync(`/proc/${pid}/ns/${name}`), name);
  }
  const background = await sleeper.exec(["--detach"], ["sleep", "1000"]);
  assertEquals(background, { code: 0, stdout: "", stderr: "" });
  const others = (await sleeper.pids()).filter((one) => one !== pid);
  assertEquals(others.length, 1);
  const cgroups = (of: number) => Deno.readTextFileSync(`/proc/${of}/cgroup`);
  assertEquals(cgroups(others[0]!), cgroups(pid));
  assertEquals(status.Seccomp, "0");
});

execTest("gives a clean process: signals, descriptors, session", NONE, async (sleeper) => {
  const seen = await sleeper.seen();
  assertEquals(Object.keys(seen.fds), ["0", "1", "2"]);
  // Those of the C library stay as they are with runc 1.1 (32) and crun 1.8 (33, too).
  const ofLibrary = (signal: number) => PEER !== "runts" && (signal === 32 || signal === 33);
  assertEquals(signalsOf(seen.status.SigIgn!).filter((one) => !ofLibrary(one)), []);
  assertEquals(signalsOf(seen.status.SigBlk!).filter((one) => !ofLibrary(one)), []);
  // crun 1.8 makes a session for a terminal only.
  if (PEER !== "crun") assertEquals([seen.session, seen.group], [seen.pid, seen.pid]);
  assertEquals(seen.parent, 0);
});

execTest("has the rights and limits of the configuration", (config) => {
  config.process.rlimits = [
    { type: "RLIMIT_NOFILE", soft: 512, hard: 1000 },
    { type: "RLIMIT_CORE", soft: 0, hard: 0 },
  ];
  config.process.oomScoreAdj = 321;
}, async (sleeper) => {
  const { status, limits, oomScoreAdj } = await sleeper.seen();
  const mask = "0000000020000420";
  assertEquals([status.CapBnd, status.CapEff, status.CapPrm], [mask, mask, mask]);
  if (PEER !== "crun") assertEquals(status.NoNewPrivs, "1"); // crun 1.8: only by its option
  if (PEER === "crun") return; // 1.8: limits and score only with --process
  const [soft, hard] = limits["RLIMIT_NOFILE"]!;
  assertEquals([PEER === "runc" ? 512 : soft, hard], [512, 1000]); // Go may raise it in runc 1.1
  assertEquals(limits["RLIMIT_CORE"], [0, 0]);
  assertEquals(oomScoreAdj, "321\n");
});

execTest("--user, --additional-gids, --env, --cwd", (config) => {
  config.process.user = { uid: 0, gid: 0, additionalGids: [7] };
}, async (sleeper) => {
  const [user, group] = ids(await sleeper.seen(["--user", "10:20"]));
  assertEquals([user, group], ["10", "20"]);
  if (PEER !== "crun") { // crun 1.8 gives no groups to a user of its option
    assertEquals(ids(await sleeper.seen(["--user", "10:20"])), ["10", "20", "7"]);
    const groups = ["--additional-gids", "30", "--additional-gids", "40"];
    assertEquals(ids(await sleeper.seen(["--user", "10:20", ...groups])), ["10", "20", "7 30 40"]);
  }
  const seen = await sleeper.seen(["--env", "A=1", "--env", "TERM=dumb", "--cwd", "/tmp"]);
  assertEquals(variable(seen, "A"), ["A=1"]);
  if (PEER !== "runc") assertEquals(variable(seen, "TERM"), ["TERM=dumb"]); // runc 1.1 keeps both
  assertEquals(seen.cwd, "/tmp");
  assertEquals(variable(seen, "HOME"), ["HOME=/root"]);
});

execTest("a relative --cwd is refused, an empty one is none", (config) => {
  config.process.cwd = "/etc";
}, async (sleeper) => {
  for (const cwd of ["tmp", "./tmp", ".", "~"]) {
    const { code, stdout } = await sleeper.exec(["--cwd", cwd], ["pwd"]);
    assertEquals({ code, stdout }, { code: 255, stdout: "" }, cwd);
  }
  assertEquals((await sleeper.exec(["--cwd", ""], ["pwd"])).stdout, "/etc\n");
}, { ignore: PEER === "crun" }); // 1.8 takes one from the root directory

execTest("--cap adds to bounding, effective and permitted", NONE, async (sleeper) => {
  const { status } = await sleeper.seen(["--cap", "CAP_SYS_ADMIN"]);
  const mask = "0000000020200420";
  assertEquals([status.CapBnd, status.CapEff, status.CapPrm], [mask, mask, mask]);
  assertEquals([status.CapInh, status.CapAmb], ["0000000000000000", "0000000000000000"]);
}, { ignore: PEER === "crun" }); // crun 1.8 makes them inheritable and ambient, too

execTest("--no-new-privs", (config) => {
  config.process.noNewPrivileges = false;
}, async (sleeper) => {
  assertEquals((await sleeper.seen()).status.NoNewPrivs, "0");
  assertEquals((await sleeper.seen(["--no-new-privs"])).status.NoNewPrivs, "1");
}, { ignore: PEER === "runc" }); // runc 1.1 sets the flag whatever the configuration says

execTest("--process takes all from the document", (config) => {
  config.process.env.push("FROM_CONFIG=1");
}, async (sleeper) => {
  const seen = await sleeper.seenBy({
    env: ["PATH=/bin", "X=1", "X=2"],
    cwd: "/tmp",
    user: { uid: 5, gid: 6, additionalGids: [8, 9], umask: 0o27 },
    capabilities: { bounding: ["CAP_KILL"], permitted: ["CAP_KILL"], effective: ["CAP_KILL"] },
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 99, hard: 100 }],
  });
  assertEquals(ids(seen), ["5", "6", "8 9"]);
  if (PEER !== "runc") assertEquals(seen.status.Umask, "0027"); // runc 1.1: the container's
  assertEquals(seen.status.CapBnd, "0000000000000020");
  assertEquals(seen.limits["RLIMIT_NOFILE"], [99, 100]);
  assertEquals(variable(seen, "FROM_CONFIG"), []);
  if (PEER !== "runc") assertEquals(variable(seen, "X"), ["X=2"]); // runc 1.1 keeps both
  assertEquals(variable(seen, "HOME"), ["HOME=/"]);
  assertEquals(seen.cwd, "/tmp");
}, { ignore: PEER === "crun" }); // crun 1.8 keeps the limits of the configuration

execTest("--process leaves to the container what it does not say", (config) => {
  config.process.user.umask = 0o27;
  config.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99, hard: 100 }];
  config.process.oomScoreAdj = 321;
}, async (sleeper) => {
  const seen = await sleeper.seenBy({ env: ["PATH=/bin"] });
  const mask = "0000000020000420";
  const { CapBnd, CapEff, CapPrm, NoNewPrivs, Umask } = seen.status;
  assertEquals([CapBnd, CapEff, CapPrm, NoNewPrivs], [mask, mask, mask, "0"]);
  if (PEER !== "crun") assertEquals(seen.oomScoreAdj, "321\n"); // 1.8: the caller's
  if (PEER !== "runts") return; // the same of runc 1.1 and crun 1.8 for the others
  assertEquals([Umask, seen.limits["RLIMIT_NOFILE"]], ["0027", [99, 100]]);
});

execTest("--process without a user is root's, not the container's user's", (config) => {
  config.process.user = { uid: 5, gid: 6 };
}, async (sleeper) => {
  const seen = await sleeper.seenBy({ env: ["PATH=/bin"], user: undefined });
  assertEquals(ids(seen), ["0", "0", ""]);
});

execTest("--process leaves scheduling to the container, too", (config) => {
  config.process.scheduler = { policy: "SCHED_BATCH", nice: 5 };
  config.process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 };
  config.process.execCPUAffinity = { final: "1" };
}, async (sleeper) => {
  const seen = await sleeper.seenBy({ env: ["PATH=/bin"] });
  assertEquals([seen.policy, seen.nice, seen.ioprio[0]], [3, 5, 3]);
  assertEquals(seen.status.Cpus_allowed_list, "1");
}, RUNTS_ONLY); // as below

execTest("--process sets scheduler, io priority and affinity", NONE, async (sleeper) => {
  const seen = await sleeper.seenBy({
    env: ["PATH=/bin"],
    scheduler: { policy: "SCHED_BATCH", nice: 5 },
    ioPriority: { class: "IOPRIO_CLASS_IDLE", priority: 0 },
    execCPUAffinity: { initial: "0", final: "1" },
  });
  assertEquals([seen.policy, seen.nice], [3, 5]);
  assertEquals(seen.ioprio[0], 3);
  assertEquals(seen.status.Cpus_allowed_list, "1");
}, RUNTS_ONLY); // runc 1.1 and crun 1.8 do not know these

execTest("resets the affinity of the caller", NONE, async (sleeper) => {
  const all = (await sleeper.seen()).status.Cpus_allowed_list;
  const line = [sleeper.runtime.executable, "--root", sleeper.runtime.root, "exec", sleeper.id];
  const output = await new Deno.Command("taskset", {
    args: ["-c", "0", ...line, "payload", "report"],
  }).output();
  const seen = JSON.parse(new TextDecoder().decode(output.stdout));
  assertEquals(seen.status.Cpus_allowed_list, all);
}, RUNTS_ONLY); // newer runc does it

execTest("works in a user namespace", (config) => {
  config.linux.namespaces.push({ type: "user" });
  const map = [{ containerID: 0, hostID: 100_000, size: 65_536 }];
  config.linux.uidMappings = config.linux.gidMappings = map;
}, async (sleeper) => {
  const seen = await sleeper.seen(["--user", "3:4"]);
  const pid = await sleeper.pid();
  assertEquals(seen.namespaces["user"], Deno.readLinkSync(`/proc/${pid}/ns/user`));
  assertEquals(ids(seen).slice(0, 2), ["3", "4"]);
});

execTest("works where the pid namespace is the host's", (config) => {
  config.linux.namespaces = config.linux.namespaces.filter((one: Config) => one.type !== "pid");
}, async (sleeper) => {
  const seen = await sleeper.seen();
  assertEquals(seen.namespaces["pid"], Deno.readLinkSync("/proc/self/ns/pid"));
  assertEquals((await sleeper.exec([], ["payload", "exit", "5"])).code, 5);
});

execTest("gives the program's exit code or 128 and the signal", NONE, async (sleeper) => {
  for (const code of ["0", "1", "77", "255"]) {
    const output = await sleeper.exec([], ["payload", "exit", code]);
    assertEquals(output, { code: Number(code), stdout: "", stderr: "" });
  }
  for (const [signal, code] of [["TERM", 143], ["KILL", 137], ["SEGV", 139]] as const) {
    assertEquals((await sleeper.exec([], ["sh", "-c", `kill -${signal} $$`])).code, code);
  }
});

execTest("--detach returns at once; --pid-file names the process", NONE, async (sleeper) => {
  const file = `${sleeper.bundle.path}/pid`;
  await sleeper.runtime.ok([
    ...["exec", "--detach", "--pid-file", file, sleeper.id, "sleep", "1000"],
  ]);
  const pid = Deno.readTextFileSync(file);
  assertEquals(pid, String(Number(pid)));
  const line = () => Deno.readTextFileSync(`/proc/${pid}/cmdline`);
  // The kernel closes the pipe to runts before it shows the arguments, and the peers return earlier.
  await until("it is executed", () => line() === "sleep\0" + "1000\0");
  assert((await sleeper.pids()).includes(Number(pid)));
  const left = [...Deno.readDirSync(sleeper.bundle.path)].map(({ name }) => name).sort();
  assertEquals(left, ["config.json", "pid", "rootfs"]);
});

execTest("leaves no zombie in the container and none of runts", NONE, async (sleeper) => {
  for (let i = 0; i < 3; i++) await sleeper.exec([], ["true"]);
  const pid = await sleeper.pid();
  await until("only init is left", async () => (await sleeper.pids()).length === 1);
  assertEquals(await sleeper.pids(), [pid]);
});

execTest("refuses a container that is paused, unless told", NONE, async (sleeper) => {
  await sleeper.runtime.ok(["pause", sleeper.id]);
  const refused = await sleeper.exec([], ["true"]);
  assertEquals(refused.code, 255);
  assertEquals(
    refused.stderr,
    `runts: exec "${sleeper.id}": cannot exec in a paused container (use --ignore-paused to override)\n`,
  );
  const waiting = sleeper.exec(["--ignore-paused"], ["echo", "thawed"]);
  await sleeper.runtime.ok(["resume", sleeper.id]);
  assertEquals(await waiting, { code: 0, stdout: "thawed\n", stderr: "" });
}, RUNTS_ONLY);

execTest("refuses a container that has stopped", NONE, async (sleeper) => {
  await sleeper.runtime.ok(["kill", sleeper.id, "KILL"]);
  await sleeper.runtime.untilStopped(sleeper.id);
  assertEquals(await sleeper.exec([], ["true"]), {
    code: 255,
    stdout: "",
    stderr: `runts: exec "${sleeper.id}": cannot exec in a stopped container\n`,
  });
}, RUNTS_ONLY);

execTest("works in a container that is created and not started", NONE, async (sleeper) => {
  const { runtime, bundle } = sleeper;
  const id = runtime.id();
  await runtime.ok(["create", "--bundle", bundle.path, id]);
  assertEquals(await runtime.ok(["exec", id, "echo", "here"]), "here\n");
  await runtime.ok(["delete", "--force", id]);
}, { ignore: PEER === "runc" }); // runc 1.1 calls its state undefined

execTest("with a user never changes the owner of /dev/null", NONE, async (sleeper) => {
  const before = Deno.statSync("/dev/null").uid;
  assertEquals((await sleeper.exec(["--user", "1000:1000"], ["true"])).code, 0);
  assertEquals(Deno.statSync("/dev/null").uid, before);
}, { ignore: PEER === "crun" }); // crun 1.8 does

execTest("--preserve-fds passes on those and no more", NONE, async (sleeper) => {
  const line = [sleeper.runtime.executable, "--root", sleeper.runtime.root, "exec"];
  const script = 'exec 3</etc/hostname 4</etc/passwd 5</etc/group; exec "$@"';
  const { stdout } = await new Deno.Command("bash", {
    args: ["-c", script, "-", ...line, "--preserve-fds", "2", sleeper.id, "payload", "report"],
  }).output();
  const { fds } = JSON.parse(new TextDecoder().decode(stdout)) as Seen;
  assertEquals(Object.keys(fds), ["0", "1", "2", "3", "4"]);
  assertEquals([fds[3], fds[4]], ["/etc/hostname", "/etc/passwd"]);
}, { ignore: PEER === "crun" }); // its line needs a mount namespace around it here

execTest("fails with 255 and the reason", NONE, async (sleeper) => {
  const failure = async (words: string[], options: string[] = []) => {
    const { code, stdout, stderr } = await sleeper.exec(options, words);
    assertEquals({ code, stdout }, { code: 255, stdout: "" });
    return stderr.replace(`runts: exec "${sleeper.id}": `, "");
  };
  assertEquals(await failure([]), "no program to execute is given\n");
  assertEquals(await failure(["true"], ["--user", "bob"]), 'user "bob" is not UID or UID:GID\n');
  assertEquals(
    await failure(["true"], ["--env", "A"]),
    'environment variable "A" is not of the form NAME=VALUE\n',
  );
  assertEquals(
    await failure(["true"], ["--cwd", "/nope"]),
    'process.cwd: enter "/nope": ENOENT (no such file or directory)\n',
  );
  assertEquals(
    await failure(["true"], ["--cwd", "tmp"]),
    'working directory "tmp" is not an absolute path\n',
  );
  assertEquals(
    await failure(["true"], ["--additional-gids", "9999999999"]),
    "additional group 9999999999 is not a group id\n",
  );
  assertEquals(
    await failure(["nope"]),
    'process.args[0]: exec: "nope": executable file not found in $PATH: PATH is "/bin"\n',
  );
}, RUNTS_ONLY);
