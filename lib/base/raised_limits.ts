/**
 * The caller's limits that no longer hold, as text: `RESOURCE:SOFT:HARD ` each. Deno has raised the
 * soft limit of open files before the first script runs and keeps no record; the linked executable
 * has (tools/build/link/raised_limits.ts).
 */
export function raisedLimits(): string {
  return "";
}
