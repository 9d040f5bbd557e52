/*
 * The record of a container from which the front performs state, kill, start, delete and list without Deno.
 * lib/wire/prepared.ts writes it; a test compares the two. All is in the byte order of the machine;
 * offsets count in bytes from the start of the record.
 */
#ifndef RUNTS_PREPARED_H
#define RUNTS_PREPARED_H

#include <stdint.h>

#define PREPARED_FILE "prepared"
#define PREPARED_MAGIC UINT64_C(0x31565053544e5552) /* "RUNTSPV1" */
#define PREPARED_MAX 65536
#define PREPARED_CGROUPS_MAX 64

/* The end of init ends all processes of the container. */
#define PREPARED_OWN_PIDS 1u
/* There are poststart hooks, or it takes more than the front knows to start. */
#define PREPARED_NO_START 2u
/* There is more to undo than the state directory and the cgroups. */
#define PREPARED_NO_DELETE 4u
/* Members of its cgroups are no affair of the front. */
#define PREPARED_NO_MEMBERS 8u
/* A cgroup of v2 alone. */
#define PREPARED_V2 16u
/* systemd removes them once nobody is in them. */
#define PREPARED_SYSTEMD 32u

/* Followed by a NUL that `length` does not count. */
struct prepared_text {
  uint32_t offset;
  uint32_t length;
};

/* A directory that belongs to the container. */
struct prepared_cgroup {
  uint64_t inode;
  struct prepared_text path;
};

struct prepared {
  uint64_t magic;
  uint32_t size; /* of all of the record */
  uint32_t flags;
  char front[32]; /* whoever wrote it: the front of another build cannot use it */
  char boot[40];  /* boot id, then NULs */
  uint64_t start_time;
  uint64_t config_inode; /* of the copy of config.json … */
  uint64_t config_size;
  int64_t config_mtime; /* … in ms */
  int32_t pid;
  int32_t stop_signal;               /* where none is named; 0 where what the image names is none */
  uint32_t cgroup_count;             /* the first holds all members */
  uint32_t cgroups;                  /* offset of struct prepared_cgroup[] */
  struct prepared_text status;       /* the status file that the record belongs to */
  struct prepared_text before_pid;   /* what `state` prints: up to the pid, … */
  struct prepared_text before_state; /* … between pid and state, … */
  struct prepared_text after_state;  /* … and behind it */
  struct prepared_text freezer_state; /* files that tell whether it is frozen; each may be empty */
  struct prepared_text cgroup_freeze;
  struct prepared_text cgroup_events;
  struct prepared_text cgroup_name; /* last part of the cgroups' paths */
};

#endif
