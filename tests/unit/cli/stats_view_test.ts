import { assertEquals, assertThrows } from "@std/assert";
import type { Stats } from "../../../lib/cgroup/stats/types.ts";
import { type Sample, statsLine, statsTable } from "../../../lib/cli/stats_view.ts";
import { selectRows } from "../../../lib/host/ps_table.ts";
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

Deno.test("selectRows() finds process ids behind columns of several words and of any width", () => {
  const tables: [heading: string, row: string][] = [
    ["                 STARTED   PID", "Mon Nov 30 13:25:27 2026    23"],
    [
      "COMMAND                       PID                  STARTED",
      "sleep 1 2 3                    23 Mon Nov 30 13:25:27 2026",
    ],
    ["  RSS   PID CMD", "1234567    23 a b"],
    ["  RSS   PID", "12345678901    23"],
    ["  PID", "   23"],
    [
      "TT       STAT COMMAND                       PID",
      "?        Ss   sh 7 8                         23",
    ],
  ];
  for (const [heading, row] of tables) {
    assertEquals(selectRows(`${heading}\n${row}\n`, new Set([23])), `${heading}\n${row}\n`);
    assertEquals(selectRows(`${heading}\n${row}\n`, new Set([7])), `${heading}\n`);
  }
});

Deno.test("selectRows() counts the columns of a terminal, not characters", () => {
  const heading = "COMMAND           PID";
  const names: [name: string, width: number][] = [
    ["一二三 x y", 10],
    ["😀😀 7", 6],
    ["e\u0301e\u0301 7 7", 6],
    ["ü 7", 3],
  ];
  for (const [name, width] of names) {
    const row = `${name}${" ".repeat(heading.length - width - 2)}23`;
    assertEquals(selectRows(`${heading}\n${row}\n`, new Set([23])), `${heading}\n${row}\n`, name);
    assertEquals(selectRows(`${heading}\n${row}\n`, new Set([7])), `${heading}\n`, name);
  }
});

Deno.test("selectRows() leaves out what it cannot read and what names no member", () => {
  const others = "CMD PID X\na b c\n  -   - -\n";
  assertEquals(selectRows(others, new Set([1])), "CMD PID X\n");
});

Deno.test("selectRows() keeps the threads of a process", () => {
  const table = "  PID   LWP\n   22     -\n    -    22\n   23     -\n    -    23\n    -    24\n";
  assertEquals(
    selectRows(table, new Set([23])),
    "  PID   LWP\n   23     -\n    -    23\n    -    24\n",
  );
});

Deno.test("selectRows() says where it finds no process id", () => {
  assertThrows(
    () => selectRows("CMD PID X\na bcdefgh 1\n", new Set([1])),
    RuntsError,
    'find the process id in a row of ps: "a bcdefgh 1"',
  );
});
