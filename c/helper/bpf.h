/*
 * For cgroups: device programs of v2 through bpf(2), and the descriptor through which v1 tells of
 * events (eventfd.c). Functions return a value or a negated errno.
 */
#ifndef RUNTS_BPF_H
#define RUNTS_BPF_H

#include <stdint.h>

#include "helper.h"

/* Size of a program's name with its NUL (BPF_OBJ_NAME_LEN). */
#define RTS_BPF_NAME 16

/* Loads a BPF_PROG_TYPE_CGROUP_DEVICE program; returns its descriptor. On failure `log` has what
 * the verifier said. */
int32_t rts_bpf_load(const uint8_t *insns, uint32_t count, const char *name, char *log,
                     uint32_t log_size);

/* Attaches a program beside those of others; with `replaced` >= 0 in place of that one. */
int32_t rts_bpf_attach(int32_t cgroup, int32_t program, int32_t replaced);

/* Detaches a program. */
int32_t rts_bpf_detach(int32_t cgroup, int32_t program);

/* Ids of the device programs attached to this very cgroup; returns how many there are. */
int32_t rts_bpf_query(int32_t cgroup, uint32_t *ids, uint32_t capacity);

/* A descriptor of the program with this id. */
int32_t rts_bpf_open(uint32_t id);

/* Writes the program's name, RTS_BPF_NAME bytes. */
int32_t rts_bpf_name(int32_t program, char *name);

/* An eventfd(2), CLOEXEC and non-blocking. */
int32_t rts_eventfd(void);

#endif
