/** What a process takes, as /proc has it. */

/** Memory, in kB. */
export interface Memory {
  readonly resident: number;
  /** Its share of what it has in common with others (PSS). */
  readonly share: number;
  /** What nobody else has. */
  readonly own: number;
}

export function memoryOf(pid: number): Memory {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const of = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, "m").exec(text)![1]);
  return {
    resident: of("Rss"),
    share: of("Pss"),
    own: of("Private_Clean") + of("Private_Dirty"),
  };
}

/** Processor time of a process or a thread, by its directory in /proc: ticks of 10 ms (USER_HZ). */
export function ticksOf(directory: string): number {
  const stat = Deno.readTextFileSync(`${directory}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]); // utime, stime
}
