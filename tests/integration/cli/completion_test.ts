/** The completion scripts, in the shells that they are for. */

import { assertEquals } from "@std/assert";
import { command, RUNTIME, RUNTS_ONLY } from "../../support/runtime.ts";

/** Completion is of runts alone. */
const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = typeof SHELLS[number];

/**
 * A directory with the scripts, a root with the containers "web" and "wiki", and a program `runts`
 * that prints its arguments, unless it is asked for the list of containers.
 */
class Workshop {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-completion-" });
  readonly root = `${this.path}/root`;

  static async open(): Promise<Workshop> {
    const workshop = new Workshop();
    const { path, root } = workshop;
    for (const id of ["web", "wiki"]) {
      Deno.mkdirSync(`${root}/${id}`, { recursive: true });
      Deno.writeTextFileSync(`${root}/${id}/status`, "{}");
    }
    Deno.mkdirSync(`${path}/bundle`);
    Deno.writeTextFileSync(`${path}/bulletin`, "");
    const program = `#!/bin/sh\ncase "$*" in *list*) exec ${RUNTIME} "$@" ;; esac\n` +
      `printf 'ran'; printf '<%s>' "$@"; echo\n`;
    Deno.writeTextFileSync(`${path}/runts`, program, { mode: 0o755 });
    for (const shell of SHELLS) {
      const { stdout } = await command([RUNTIME, "completion", shell]);
      Deno.writeTextFileSync(`${path}/${shell}`, stdout);
    }
    Deno.writeTextFileSync(`${path}/bashrc`, `PS1='$ '\n. ${path}/bash\n`);
    Deno.writeTextFileSync(
      `${path}/.zshrc`,
      `PS1='$ '\nautoload -U compinit\ncompinit -u -D\n. ${path}/zsh\n`,
    );
    return workshop;
  }

  /** Types lines into a shell, each with a tab before its end; what they were completed to. */
  async type(shell: "bash" | "zsh", lines: readonly string[]): Promise<string[]> {
    const interactive = shell === "bash"
      ? `bash --noprofile --rcfile ${this.path}/bashrc -i`
      : "zsh -d -i";
    const typed = [...lines.map((line) => `${line}\t\n`), "exit\n"].join("");
    const { stdout } = await command(["script", "-qec", interactive, "/dev/null"], {
      stdin: typed,
      env: { ...this.env, TERM: "dumb" },
      cwd: this.path,
    });
    return [...stdout.matchAll(/^.*?ran((?:<[^>\n]*>)*)\r?$/gm)]
      .map((match) => match[1]!.replace("/>", ">")); // zsh takes the slash of a directory away
  }

  /** What fish offers for a line, sorted. */
  async offers(line: string): Promise<string[]> {
    const script = 'source "$argv[1]"; complete -C "$argv[2]"';
    const { stdout } = await command(["fish", "-N", "-c", script, `${this.path}/fish`, line], {
      env: { ...this.env, HOME: this.path },
      cwd: this.path,
    });
    return stdout.split("\n").filter(Boolean).map((row) => row.split("\t")[0]!).sort();
  }

  private get env(): Record<string, string> {
    return { PATH: `${this.path}:${Deno.env.get("PATH")}`, ZDOTDIR: this.path, HISTFILE: "" };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A line as typed and what it is completed to; ROOT is the root of the containers. */
const LINES = [
  ["runts sta", "<sta>"], // start, state
  ["runts star", "<start>"],
  ["runts --log-format=j", "<--log-format=json>"],
  ["runts --log-format j", "<--log-format><json>"],
  ["runts --root ROOT kill we", "<--root><ROOT><kill><web>"],
  ["runts --root=ROOT start wi", "<--root=ROOT><start><wiki>"],
  ["runts kill web KIL", "<kill><web><KILL>"],
  ["runts kill --al", "<kill><--all>"],
  ["runts create --bundle bu", "<create><--bundle><bundle>"], // and not the file
  ["runts create --config bull", "<create><--config><bulletin>"],
  ["runts spec --rootl", "<spec><--rootless>"], // a flag there
  ["runts help resu", "<help><resume>"],
  ["runts completion fi", "<completion><fish>"],
  ["runts exec web ls --ro", "<exec><web><ls><--ro>"], // belongs to the program
  ["runts lxc expl", "<lxc><explain>"],
  ["runts lxc explain --spe", "<lxc><explain><--spec>"],
  ["runts lxc config lxc.lxcp", "<lxc><config><lxc.lxcpath>"],
] as const;

for (const shell of ["bash", "zsh"] as const) {
  Deno.test(`${shell} completes what is typed`, RUNTS_ONLY, async () => {
    using workshop = await Workshop.open();
    const root = (text: string) => text.replaceAll("ROOT", workshop.root);
    const completed = await workshop.type(shell, LINES.map(([typed]) => root(typed)));
    assertEquals(completed, LINES.map(([, expected]) => root(expected)));
  });
}

Deno.test("fish offers what fits", RUNTS_ONLY, async (t) => {
  using workshop = await Workshop.open();
  const cases: [line: string, offers: string[]][] = [
    ["runts sta", ["start", "state"]],
    ["runts --log-format=", ["--log-format=json", "--log-format=text"]],
    ["runts --log-format ", ["json", "text"]],
    [`runts --root ${workshop.root} kill `, ["web", "wiki"]],
    [`runts --root=${workshop.root} start we`, ["web"]],
    ["runts kill web ST", ["STKFLT", "STOP"]],
    ["runts kill --al", ["--all"]],
    ["runts create --bundle bu", ["bundle/"]],
    ["runts create --config bull", ["bulletin"]],
    ["runts spec --rootl", ["--rootless"]],
    ["runts help resu", ["resume"]],
    ["runts completion ", ["bash", "fish", "zsh"]],
    ["runts exec web ls --ro", []],
    ["runts lxc in", ["info", "install-links"]],
    ["runts lxc explain --spe", ["--spec"]],
    ["runts lxc config lxc.lxcp", ["lxc.lxcpath"]],
  ];
  for (const [line, offers] of cases) {
    await t.step(line, async () => assertEquals(await workshop.offers(line), offers));
  }
});

Deno.test("the scripts are free of syntax errors", RUNTS_ONLY, async (t) => {
  using workshop = await Workshop.open();
  for (const shell of SHELLS) {
    await t.step(shell, async () => {
      const line = [shell satisfies Shell, "-n", `${workshop.path}/${shell}`];
      assertEquals(await command(line), { code: 0, stdout: "", stderr: "" });
    });
  }
});
