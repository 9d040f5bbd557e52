/** crun's annotation for a Unix socket that takes a pidfd of init (SCM_RIGHTS). */
export const PIDFD_RECEIVER = "run.oci.pidfd_receiver";
