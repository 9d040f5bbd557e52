/** Descriptors of this process as paths: for what Deno can open by its name alone. */

/** The path by which this process can open what it has open already (proc_pid_fd(5)). */
export function ownDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** The process that a pidfd is of, as this process numbers it (pidfd_open(2)). */
export function pidOf(pidfd: number): number {
  const info = Deno.readTextFileSync(`/proc/self/fdinfo/${pidfd}`);
  return Number(/^Pid:\s*(-?\d+)$/m.exec(info)?.[1]);
}
