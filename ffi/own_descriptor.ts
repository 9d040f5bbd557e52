/** Descriptors of this process as paths: for what Deno can open by its name alone. */

/** The path by which this process can open what it has open already (proc_pid_fd(5)). */
export function ownDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
