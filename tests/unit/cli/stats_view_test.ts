import { assertEquals, assertThrows } from "@std/assert";
import type { Stats } from "../../../lib/cgroup/stats/types.ts";
import { type Sample, statsLine, statsTable } from "../../../lib/cli/stats_view.ts";
import { selectRows } from "../../../lib/container/ps.ts";
import { RuntsError } from "../../../lib/base/errors.ts";

const none = { limit: 0, failcnt: 0 };

function sample(time: number, cpu: number, limits: { memory?: number | bigint; pids?: number }) {
  const stats = {
    cpu: { usage: { total: cpu, kernel: 0, user: 0 }, throttling: {} },
    memory: {
      usage: { usage: 3 * 2 ** 20, limit: limits.memory ?? 0, failcnt: 0 },
      swap: none,
      kernel: none,
      kernelTCP: none,
    },
    pids: { current: 4, limit: limits.pids ?? 0 },
    blkio: {
      ioServiceBytesRecursive: [
        { major: 8, minor: 0, op: "Read", value: 2 ** 20 },
        { major: 8, minor: 16, op: "Read", value: 2 ** 20 },
        { major: 8, minor: 0, op: "Write", value: 512 },
        { major: 8, minor: 0, op: "Total", value: 2 ** 22 },
      ],
    },
  };
  return { stats: stats as unknown as Stats, time } satisfies Sample;
}

Deno.test("statsLine() shows the time of CPU first and its share from then on", () => {
  const limits = { memory: 512 * 2 ** 20, pids: 100 };
  const before = sample(1000, 1_500_000_000, limits);
  const after = sample(3000, 2_500_000_000, limits);
  const others = "memory 3.0 MiB of 512 MiB  pids 4 of 100  read 2.0 MiB  written 512 B";
  assertEquals(statsLine(before), `cpu 1.50 s  ${others}`);
  assertEquals(statsLine(after, before), `cpu 50.0 %  ${others}`);
});

Deno.test("statsTable() leaves out limits that are none", () => {
  assertEquals(
    statsTable(sample(0, 0, { memory: 9223372036854771712n })),
    `cpu       0.00 s
memory    3.0 MiB
pids      4
read      2.0 MiB
written   512 B
`,
  );
});

const PS = `UID        PID  PPID CMD
root         1     0 init
root        23     1 sh -c sleep 230
root       230    23 sleep 230
`;

Deno.test("selectRows() keeps the heading and the rows of the container", () => {
  assertEquals(
    selectRows(PS, new Set([23])),
    "UID        PID  PPID CMD\nroot        23     1 sh -c sleep 230\n",
  );
  assertEquals(selectRows(PS, new Set()), "UID        PID  PPID CMD\n");
});

Deno.test("selectRows() needs the column of process ids", () => {
  assertThrows(
    () => selectRows("COMMAND\nsh\n", new Set([1])),
    RuntsError,
    "find the PID column in what ps prints",
  );
});
