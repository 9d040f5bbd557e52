/* How a process that is not our child has ended (PIDFD_GET_INFO, Linux 6.15). */
#ifndef RUNTS_EXIT_INFO_H
#define RUNTS_EXIT_INFO_H

/* 1, and its status as wait(2) has it; 0 before its parent has reaped it; -errno, for older kernels too. */
int exit_info(int pidfd, int *status);
/* The same of one that its parent has not reaped yet, on any kernel: 1, or 0. Who may not know it is told of exit 0. */
int zombie_info(int pidfd, int *status);

#endif
