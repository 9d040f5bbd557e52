/** A caller of one kind that uses LXC's commands, and what each of them said, left and started. */

import { type CallerNote, type CallerPrograms, withRoles } from "./callers.ts";
import { tell } from "./cold.ts";
import { exists, readIfThere } from "./look.ts";
import { Systems } from "./lxc_system.ts";
import { command, RUNTIME, until } from "./runtime.ts";
import { parseSeen, type Seen } from "./seen.ts";
import { cgroupsOf, type Naming, processOf, treeOf } from "./world.ts";

/** One command. */
export interface LxcStep {
  /** `lxc` and a verb, or the name of a link. NAME, PATH and FILES stand for what is the caller's. */
  readonly line: readonly string[];
  /** Reports that it causes: of hooks and programs. */
  readonly reports?: readonly string[];
  /** It tells of numbers that are others each time. */
  readonly other?: "numbers";
}

/** What became of a step. */
export interface LxcDone {
  /** How often ld.so was there: for Deno, and for each program that a hook is. */
  readonly loaded: number;
  /** To be compared. */
  readonly seen: { readonly reports: Readonly<Record<string, unknown>> };
}

/** The words of a program that reports what it sees, then does this. */
export function reportingInside(name: string, then = ":"): string[] {
  return ["/bin/sh", "-c", `/bin/payload report >/tmp/${name}; : >/tmp/${name}.done; ${then}`];
}

/** What ld.so says in the environment of a test (cold.ts). */
const COMPLAINT = /^ERROR: ld\.so: .*\n/gm;

const INIT = `#!/bin/sh
/bin/payload report >/tmp/init
trap 'exit 0' PWR
: >/tmp/init.done
echo booted
while :; do sleep 1000 & wait $!; done
`;

/** The caller has a container, a directory of containers and a state root of its own. */
export class WarmLxcScene implements AsyncDisposable {
  readonly #systems = new Systems();
  readonly #root: string;
  readonly #host: Promise<Seen>;

  /**
   * @param parent of its state root
   * @param kind of the caller
   */
  constructor(
    parent: string,
    readonly name: string,
    readonly kind: number,
    readonly programs: CallerPrograms,
  ) {
    this.#root = `${parent}/kind-${kind}`;
    Deno.mkdirSync(this.#root);
    this.#systems.add(name, [
      `lxc.hook.pre-start = ${this.#files}/hook`,
      `lxc.hook.post-stop = ${this.#files}/hook`,
      "lxc.start.auto = 1",
      `lxc.group = ${name}`,
    ], INIT);
    this.#systems.define("broken", ["lxc.hook.pre-start = /bin/false"]);
    Deno.copyFileSync(programs.payload, `${this.#systems.rootfs(name)}/bin/payload`);
    Deno.chmodSync(`${this.#systems.rootfs(name)}/tmp`, 0o777);
    Deno.mkdirSync(this.#files);
    Deno.writeTextFileSync(`${this.#files}/hook`, this.#hook, { mode: 0o755 });
    this.#host = command([programs.payload, "report"]).then(parseSeen);
  }

  get #files(): string {
    return `${this.#systems.path}/files`;
  }

  get #note(): string {
    return `${this.#files}/note`;
  }

  get #hook(): string {
    return [
      "#!/bin/sh",
      `echo "$@" >${this.#files}/$3.state`,
      `${this.programs.payload} report >${this.#files}/$3; : >${this.#files}/$3.done`,
      "",
    ].join("\n");
  }

  /** Does one step, and looks at what it did. */
  async run(step: LxcStep, way: Readonly<Record<string, string>>): Promise<LxcDone> {
    const [first, ...rest] = step.line.map((word) =>
      word.replace(/^FILES/, this.#files).replace(/^NAME$/, this.name)
        .replace(/^PATH$/, this.#systems.path)
    );
    for (const file of this.#written) if (exists(file)) Deno.removeSync(file);
    const program = first === "lxc" ? [RUNTIME, "--root", this.#root, first] : [this.#link(first!)];
    const { cold, ...output } = await tell(
      [String(this.kind), this.#note, "", ...program, ...rest],
      Object.entries(way).map((entry) => entry.join("=")),
      { executable: this.programs.caller, cwd: this.#directories[this.kind]! },
    );
    const note: CallerNote = JSON.parse(Deno.readTextFileSync(this.#note));
    const [id = "", pid] = this.#container();
    const name = this.#naming(id, pid);
    const loaded = Number(cold) + (output.stderr.match(COMPLAINT)?.length ?? 0);
    const said = (text: string) => step.other === "numbers" ? digits(name(text)) : name(text);
    const seen = {
      ...{
        code: output.code,
        stdout: said(output.stdout),
        stderr: said(output.stderr.replace(COMPLAINT, "")),
      },
      reports: await this.#reports(step, note, name, JSON.stringify(output)),
      root: treeOf(this.#root, name),
      cgroups: ["payload", "monitor"].map((of) => cgroupsOf(`lxc.${of}.${this.name}`, name)),
      ...this.#processes(pid, note, name),
      files: this.#written.map((file) =>
        exists(file) ? [Deno.statSync(file).mode, digits(name(readIfThere(file)))] : []
      ),
    };
    return { loaded, seen };
  }

  /** What a step may write. */
  get #written(): readonly string[] {
    return ["pid", "log"].map((file) => `${this.#files}/${file}`);
  }

  get #directories(): readonly string[] {
    return ["/", this.#systems.path, this.programs.folder];
  }

  /** One of the links under LXC's names. */
  #link(name: string): string {
    const path = `${this.#files}/${name}`;
    if (!exists(path)) Deno.symlinkSync(RUNTIME, path);
    return path;
  }

  /** The id of the container that runs, and the pid of its init. */
  #container(): [id: string | undefined, pid?: number] {
    const ids = Array.from(Deno.readDirSync(this.#root), ({ name }) => name);
    const id = ids.find((one) => one.startsWith(`${this.name}+`));
    const status = id === undefined ? "" : readIfThere(`${this.#root}/${id}/status`);
    return status === "" ? [id] : [id, JSON.parse(status).pid];
  }

  /** Init, and the monitor, which is its parent. */
  #processes(pid: number | undefined, note: CallerNote, name: Naming): Record<string, unknown> {
    if (pid === undefined || !exists(`/proc/${pid}/exe`)) return { init: "gone" };
    const parent = /^PPid:\s*(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1];
    return {
      init: processOf(pid, note, name),
      monitor: processOf(Number(parent), note, name),
    };
  }

  #naming(id: string, pid: number | undefined): Naming {
    const names: [string | RegExp, string][] = [
      [this.#root, "ROOT"],
      [this.#systems.path, "PATH"],
      [this.programs.folder, "PROGRAMS"],
      ...id === "" ? [] : [[id, "ID"] as [string, string]],
      [this.name, "NAME"],
      [/\/tmp\/runts-output-\w+/g, "OUTPUT"],
      [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"],
      [/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID"],
      [/RUNTS_(TEST_COLD|TEST_WARM|BRAIN)=[^\0]*\0/g, ""],
      [/("(process-start-time|pid|startTime|init|index)": ?)\d+/g, "$1N"],
      [/\b(pipe|socket):\[\d+\]/g, "$1"],
      [/("inodes": \{)[^}]*/g, "$1"],
      ...pid === undefined ? [] : [[new RegExp(`\\b${pid}\\b`, "g"), "PID"] as [RegExp, string]],
    ];
    return (text) => names.reduce((so, [from, to]) => so.replaceAll(from as string, to), text);
  }

  /** What those of these names have seen, and what hooks were told. */
  async #reports(
    { line, reports = [] }: LxcStep,
    note: CallerNote,
    name: Naming,
    said: string,
  ): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {};
    for (const report of reports) {
      const isHook = ["pre-start", "post-stop"].includes(report);
      const folder = isHook ? this.#files : `${this.#systems.rootfs(this.name)}/tmp`;
      const path = `${folder}/${report}`;
      await until(`${report} has reported: ${line} ${said}`, () => exists(`${path}.done`));
      const seen = parseSeen({ code: 0, stdout: readIfThere(path), stderr: "" });
      const told = JSON.parse(name(JSON.stringify(withRoles(seen, note, await this.#host))));
      const { env, ...others } = told as { env: readonly string[] };
      const own = env.filter((entry) => !/^RUNTS_/.test(entry));
      found[report] = { seen: { ...others, env: own }, told: name(readIfThere(`${path}.state`)) };
      for (const file of [path, `${path}.done`, `${path}.state`]) {
        if (exists(file)) Deno.removeSync(file);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tell(["--root", this.#root, "lxc", "stop", "-P", this.#systems.path, "-kn", this.name]);
    await this.#systems[Symbol.asyncDispose]();
    Deno.removeSync(this.#root, { recursive: true });
  }
}

function digits(text: string): string {
  return text.replace(/\d+(\.\d+)?/g, "N").replace(/N \w+$/gm, "N UNIT").replace(/ +/g, " ");
}
