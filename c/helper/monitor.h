/* Starting a monitor (c/monitor), and what is said to it: c/include/body.h. */
#ifndef RUNTS_MONITOR_H
#define RUNTS_MONITOR_H

#include "../include/body.h"
#include "helper.h"

/*
 * Starts a monitor in a session of its own; it is nobody's child that must be reaped here.
 * `listening`, `connection` (-1: none): it has them from then on, and we as well. `idle_ms`: how
 * long it stays when it has nothing to do. `title`: what process lists show. The pid.
 */
int32_t rts_monitor_start(int32_t listening, int32_t connection, uint32_t idle_ms,
                          const char *title);

/* The monitor's executable; it stays ours. */
int32_t rts_monitor_image(void);

/*
 * From now on no core of a processor is shared with processes outside of our process group (prctl(2),
 * PR_SCHED_CORE); children have that from us. EINVAL: the kernel cannot do it.
 */
int32_t rts_core_scheduling(void);

/* Nothing that is executed from now on inherits the descriptor. */
int32_t rts_close_on_exec(int32_t fd);

/* spawn.c. Init's executable, which goes along with each spawn by a monitor; it stays ours. */
int32_t rts_init_image(void);
/* A file in memory with these bytes, which nobody can change. `name`: as for rts_memory_file. */
int32_t rts_sealed_file(const char *name, const uint8_t *bytes, uint64_t length);

/* sockets.c. As their namesakes in helper.h, for packets (SOCK_SEQPACKET). */
int32_t rts_connect_packets(const char *path);
int32_t rts_listen_packets(const char *path, uint32_t mode);
int32_t rts_packet_pair(int32_t *fds);

/* message.c. A packet; -EAGAIN while the other side takes no more. */
int32_t rts_send_packet(int32_t socket, const uint8_t *bytes, uint32_t length, const int32_t *fds,
                        uint32_t count);
/* One that is there: its length, 0 at the end, or -EAGAIN. `fds`: their number, then up to BODY_FDS_MAX. */
int32_t rts_receive_packet(int32_t socket, uint8_t *bytes, uint32_t size, int32_t *fds);

#endif
