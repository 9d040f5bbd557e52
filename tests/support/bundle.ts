/** Bundles for tests: a root filesystem with static busybox, and a configuration. */

// deno-lint-ignore-file no-explicit-any -- tests edit configurations freely, wrong types included

/** A configuration as the tests edit it: any JSON. */
export type Config = any;

const APPLETS =
  "cat chmod echo env false grep head hostname id kill ls mkdir mount ps pwd readlink rm sh sleep " +
  "stat stty sync test touch true tty ulimit umount uname wc yes";

/** A bundle in a directory of its own; disposing of it removes the directory. */
export class Bundle implements Disposable {
  readonly path: string;
  readonly config: Config = baseConfig();

  constructor(edit?: (config: Config) => void) {
    this.path = Deno.makeTempDirSync({ prefix: "runts-test-" });
    Deno.chmodSync(this.path, 0o755);
    for (const directory of ["bin", "dev", "etc", "proc", "sys", "tmp", "run", "root"]) {
      Deno.mkdirSync(`${this.rootfs}/${directory}`, { recursive: true });
    }
    Deno.copyFileSync("/bin/busybox", `${this.rootfs}/bin/busybox`);
    for (const applet of APPLETS.split(" ")) {
      Deno.symlinkSync("busybox", `${this.rootfs}/bin/${applet}`);
    }
    Deno.writeTextFileSync(`${this.rootfs}/etc/passwd`, "root:x:0:0:root:/root:/bin/sh\n");
    edit?.(this.config);
    this.save();
  }

  get rootfs(): string {
    return `${this.path}/rootfs`;
  }

  /** Writes config.json; a text is written as it is. */
  save(text?: string): void {
    Deno.writeTextFileSync(`${this.path}/config.json`, text ?? JSON.stringify(this.config));
  }

  /** Puts a file into the root filesystem. */
  put(path: string, text: string, mode = 0o644): void {
    Deno.writeTextFileSync(`${this.rootfs}/${path}`, text);
    Deno.chmodSync(`${this.rootfs}/${path}`, mode);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** Has the container sleep. */
export function idle(config: Config): void {
  config.process.args = ["sleep", "1000"];
}

const CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

/** What `runc spec` gives, without a terminal and running /bin/true. */
function baseConfig(): Config {
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: 0, gid: 0 },
      args: ["/bin/true"],
      env: ["PATH=/bin", "TERM=xterm"],
      cwd: "/",
      capabilities: {
        // Lists of their own: tests add to them.
        bounding: [...CAPABILITIES],
        effective: [...CAPABILITIES],
        permitted: [...CAPABILITIES],
      },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 1024 }],
      noNewPrivileges: true,
    },
    root: { path: "rootfs", readonly: true },
    hostname: "test",
    mounts: baseMounts(),
    linux: {
      namespaces: [
        { type: "pid" },
        { type: "network" },
        { type: "ipc" },
        { type: "uts" },
        { type: "mount" },
      ],
      maskedPaths: ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
      readonlyPaths: ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
  };
}

function baseMounts(): Config {
  return [
    { destination: "/proc", type: "proc", source: "proc" },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    },
    {
      destination: "/dev/shm",
      type: "tmpfs",
      source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    },
    {
      destination: "/dev/mqueue",
      type: "mqueue",
      source: "mqueue",
      options: ["nosuid", "noexec", "nodev"],
    },
    {
      destination: "/sys",
      type: "sysfs",
      source: "sysfs",
      options: ["nosuid", "noexec", "nodev", "ro"],
    },
  ];
}
