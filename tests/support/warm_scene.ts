/** A caller of one kind that uses the runtime, and what each of its commands said, left and started. */

import { hierarchyOf } from "../../lib/cgroup/hierarchies.ts";
import { Bundle, type Config } from "./bundle.ts";
import { type CallerNote, type CallerPrograms, withRoles } from "./callers.ts";
import { cgroupHost } from "./cgroups.ts";
import { tell } from "./cold.ts";
import { exists, readIfThere } from "./look.ts";
import { command, type Output, RUNTIME, until } from "./runtime.ts";
import { parseSeen, type Seen } from "./seen.ts";
import { cgroupsOf, type Naming, processOf, treeOf } from "./world.ts";

/** The kinds of hooks that report. */
export const REPORTING = [
  ...["createRuntime", "createContainer", "startContainer", "poststart", "poststop"],
] as const;
/** Hierarchies in which a caller may be in a cgroup of its own. */
const CALLERS_CONTROLLERS = ["pids", "cpu"];

/** One command. */
export interface Step {
  /** BUNDLE and ID stand for what is the caller's. */
  readonly line: readonly string[];
  /** Reports that it causes: of hooks, and of the programs of {@linkcode reporting}. */
  readonly reports?: readonly string[];
  /** What its standard input has, a pipe. */
  readonly stdin?: string;
  /** It tells of numbers, or of all, that is another each time. */
  readonly other?: "numbers" | "all";
}

/** What became of a step. */
export interface Done {
  readonly cold: boolean;
  /** To be compared. */
  readonly seen: { readonly reports: Readonly<Record<string, unknown>> };
}

/** The words of a program that reports what it sees, then does this. */
export function reporting(name: string, then = ":"): string[] {
  return ["sh", "-c", `payload report >/tmp/${name}; : >/tmp/${name}.done; ${then}`];
}

/** The caller has a bundle and a state root of its own. */
export class WarmScene implements AsyncDisposable {
  readonly #bundle: Bundle;
  readonly #note: string;
  readonly #groups: readonly string[];
  readonly #root: string;
  readonly #host: Promise<Seen>;

  /**
   * @param parent of its state root
   * @param kind of the caller
   * @param configs changes of the configuration, by the names of files in the bundle
   */
  constructor(
    readonly parent: string,
    readonly id: string,
    readonly kind: number,
    readonly programs: CallerPrograms,
    configs: Readonly<Record<string, (config: Config) => void>>,
  ) {
    this.#root = `${parent}/kind-${kind}`;
    this.#bundle = new Bundle();
    this.#note = `${this.#bundle.path}/note`;
    for (const folder of [this.#root, this.#out]) Deno.mkdirSync(folder);
    Deno.chmodSync(`${this.#bundle.rootfs}/tmp`, 0o777);
    Deno.copyFileSync(programs.payload, `${this.#bundle.rootfs}/bin/payload`);
    for (const [name, edit] of Object.entries(configs)) {
      const config = structuredClone(this.#bundle.config);
      this.#fill(config);
      edit(config);
      Deno.writeTextFileSync(`${this.#bundle.path}/${name}`, JSON.stringify(config));
    }
    this.#host = command([programs.payload, "report"]).then(parseSeen);
    this.#groups = kind === 0 ? [] : this.#makeGroups();
  }

  get #out(): string {
    return `${this.#bundle.path}/out`;
  }

  /** The caller's place in hierarchies, which its containers do not share. */
  #makeGroups(): string[] {
    const host = cgroupHost();
    if (host.mode === "v2") return [];
    const groups = CALLERS_CONTROLLERS.flatMap((name) => hierarchyOf(host, name) ?? [])
      .map(({ mountPoint, own }) => `${mountPoint}${own}/${this.id}-caller`);
    for (const group of groups) Deno.mkdirSync(group);
    return groups;
  }

  #fill(config: Config): void {
    delete config.process.rlimits;
    config.root.readonly = false;
    config.process.args = reporting("init", "exec sleep 1000");
    config.hooks = Object.fromEntries(REPORTING.map((kind) => [kind, [this.#hook(kind)]]));
  }

  /** Its standard input is the state; the last kind inherits the caller's variables. */
  #hook(kind: string): Config {
    const [from, to] = kind === "startContainer"
      ? ["/bin", "/tmp"]
      : [`${this.#bundle.rootfs}/bin`, this.#out];
    const script = `cat >${to}/${kind}.state; ${from}/payload report >${to}/${kind}; ` +
      `: >${to}/${kind}.done`;
    const env = kind === "poststop" ? {} : { env: [`PATH=${from}`] };
    return { path: `${from}/sh`, args: ["sh", "-c", script], ...env };
  }

  /** Does one step, and looks at what it did. */
  async run(
    step: Step,
    way: Readonly<Record<string, string>>,
  ): Promise<Done> {
    const { line, other, stdin } = step;
    const words = line.map((word) =>
      word.replace(/^BUNDLE/, this.#bundle.path).replace(/^ID$/, this.id)
    );
    for (const file of this.#files) if (exists(file)) Deno.removeSync(file);
    const caller = [String(this.kind), this.#note, this.#groups.join(" ")];
    const { cold, ...output } = await tell(
      [...caller, RUNTIME, "--root", this.#root, ...words],
      Object.entries({ ...way, PATH: PATHS[this.kind]! }).map((entry) => entry.join("=")),
      {
        executable: this.programs.caller,
        cwd: this.#directories[this.kind]!,
        ...(stdin !== undefined && { stdin }),
      },
    );
    const note: CallerNote = JSON.parse(Deno.readTextFileSync(this.#note));
    const pid = this.#pid();
    const name = this.#naming(pid);
    const said = (text: string) => other === "numbers" ? digits(name(text)) : name(text);
    const told = {
      code: output.code,
      stdout: other === "all" ? "" : said(output.stdout),
      stderr: said(output.stderr),
    };
    const seen = {
      ...told,
      reports: await this.#reports(step, output, note, name),
      root: treeOf(this.#root, name),
      cgroups: cgroupsOf(this.id, name),
      init: pid === undefined || !exists(`/proc/${pid}/exe`) ? "gone" : processOf(pid, note, name),
      files: this.#files.map((file) => digits(name(readIfThere(file)))),
    };
    return { cold, seen };
  }

  /** What a step may write. */
  get #files(): readonly string[] {
    return ["pid", "log"].map((file) => `${this.#bundle.path}/${file}`);
  }

  get #directories(): readonly string[] {
    return ["/", this.#bundle.path, this.programs.folder];
  }

  #pid(): number | undefined {
    const status = readIfThere(`${this.#root}/${this.id}/status`);
    return status === "" ? undefined : JSON.parse(status).pid;
  }

  #naming(pid: number | undefined): Naming {
    const names: [string | RegExp, string][] = [
      [this.#root, "ROOT"],
      [this.#bundle.path, "BUNDLE"],
      [this.programs.folder, "PROGRAMS"],
      [this.id, "ID"],
      [/\/tmp\/runts-output-\w+/g, "OUTPUT"],
      [" (deleted)", ""],
      [/after \d+ ms/g, "after N ms"],
      [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"],
      [/RUNTS_(TEST_COLD|TEST_WARM|BRAIN)=[^\0]*\0/g, ""],
      [/("process-start-time": )\d+/g, "$1N"],
      // Cold, a plan also takes back limits that Deno has raised.
      [/("index": )\d+/g, "$1N"],
      [/("inodes": \{)[^}]*/g, "$1"],
      ...pid === undefined ? [] : [[new RegExp(`\\b${pid}\\b`, "g"), "PID"] as [RegExp, string]],
    ];
    return (text) => names.reduce((so, [from, to]) => so.replaceAll(from as string, to), text);
  }

  /** What those of these names have seen, and what hooks were told. */
  async #reports(
    { line, reports = [] }: Step,
    output: Output,
    note: CallerNote,
    name: Naming,
  ): Promise<Record<string, unknown>> {
    const said = `${line.join(" ")}: ${JSON.stringify(output)}`;
    const host = await this.#host;
    const found: Record<string, unknown> = {};
    for (const report of reports) {
      const isInside = report === "startContainer" || !REPORTING.some((hook) => hook === report);
      const path = `${isInside ? `${this.#bundle.rootfs}/tmp` : this.#out}/${report}`;
      await until(`${report} has reported: ${said}`, () => exists(`${path}.done`));
      const text = Deno.readTextFileSync(path);
      const seen = parseSeen({ code: 0, stdout: text, stderr: "" });
      const told = readIfThere(`${path}.state`);
      const named = JSON.parse(name(JSON.stringify(withRoles(seen, note, host))));
      found[report] = { seen: withoutWay(named), told: told && digits(name(told)) };
      for (const file of [path, `${path}.done`, `${path}.state`]) {
        if (exists(file)) Deno.removeSync(file);
      }
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await tell(["--root", this.#root, "delete", "--force", this.id]);
    this.#bundle[Symbol.dispose]();
    for (const group of this.#groups) Deno.removeSync(group);
    Deno.removeSync(this.#root, { recursive: true });
  }
}

/** What the kinds of callers have as PATH; each finds ps(1). */
const PATHS = ["/usr/bin:/bin", "/bin:/usr/bin:/none", "/sbin:/usr/bin"];

/** Variables that say which way a command is to go. */
function withoutWay(seen: { env?: readonly string[] }): unknown {
  const env = seen.env?.filter((entry) => !/^RUNTS_/.test(entry));
  return { ...seen, ...(env && { env }) };
}

/** Without numbers, of which an init that was started before its plan has fewer. */
function digits(text: string): string {
  const without = text.replace(/\d+/g, "N").replace(/ +/g, " ").replace(/\[[^\]]*\]/g, "[]");
  return without.replace(/runts-init( -?N)+/g, "runts-init");
}
