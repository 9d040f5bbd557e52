/*
 * What a warm brain and a front say to each other (docs/warm.md), beside what is in body.h; lib/wire/front.ts has the
 * same numbers, and a test compares the two. They speak no other build's.
 *
 * GREET         (a front's first packet; its request is 0)        body_greet, then what it says; (file)
 * ACCEPT        bytes                                             the same (the brain may begin)
 * END           i32 exit code, or BODY_COLD                       (none: the front ends, or starts Deno)
 * PRINT         u32 descriptor, bytes
 * OPEN          i32 flags, u32 mode, path                         ; descriptor
 * CONNECT       path                                              ; a stream, connected (or -EAGAIN)
 * DATAGRAM      u32, path (or a name after '@'), bytes; descriptors (is sent there; 1: the first one has the bytes)
 * DESCRIPTOR    i32 descriptor                                    body_descriptor
 * PROGRAM       ; file, three streams(, lock)                     body_program; (pidfd)
 * ADOPT         (orphans become the front's children)
 * KILL          i32 pid of a child                                (and its process group)
 * FOREGROUND    u32 body_foreground; its descriptors
 * AWAIT         i32 pid of a child; (file)                        body_ending, once it has ended
 * MONITOR       u32 ms, title; image, connection(, listening)     (a monitor, started with these)
 *
 * Of the others a front knows FDS, SPAWN, ENDING, FETCH and HOLD, for the lock of a container. The name of SPAWN is empty, and the umask
 * that of the front.
 */
#ifndef RUNTS_FRONT_H
#define RUNTS_FRONT_H

#include "body.h"

#define BODY_FRONT_ID_LENGTH 32

/*
 * What a front was called with: arguments (argv), then variables, each of which ends in NUL. They are in
 * the packet, or, with a descriptor, in a sealed file in memory.
 */
struct body_greet {
  uint32_t arguments;
  uint32_t variables;
  char front_id[BODY_FRONT_ID_LENGTH]; /* of the front, and of all scripts beside it */
};

/* An exit code that is none: nothing was done, and Deno is to do it. */
#define BODY_COLD (-1)

enum body_descriptor_flag {
  BODY_DESCRIPTOR_OPEN = 1,
  BODY_DESCRIPTOR_INHERITED = 2, /* it stays when a program is executed */
  BODY_DESCRIPTOR_TERMINAL = 4,  /* then its size is there, too */
};

struct body_descriptor {
  uint32_t flags;
  uint16_t rows;
  uint16_t columns;
};

/*
 * PROGRAM: the file is as that of COMMAND. It runs in a process group of its own, with the streams that
 * were given, no other descriptor, and signals at their defaults; where its directory cannot be entered,
 * in the root. The front holds the lock of a container until it has told how the program ended. `error`: why it could not be executed; then there is no process any more.
 */
struct body_program {
  int32_t pid;
  int32_t error;
};

/*
 * FOREGROUND: from BEGIN to END a process has the front's signals. Until TARGET brings its pidfd they are kept for it.
 * TERMINAL brings the master of its terminal (, a file that gets what it shows), which is joined to the front's own
 * streams. END is answered when what the terminal still holds has been copied, and the front's has its mode back.
 * AWAIT: meanwhile the front reaps every other child. From now on an end of the brain is of no matter: the front waits
 * by itself, runs the file's command, which is as that of COMMAND, and ends as the child has.
 */
enum body_foreground {
  BODY_FOREGROUND_BEGIN = 0,
  BODY_FOREGROUND_TARGET = 1,
  BODY_FOREGROUND_TERMINAL = 2,
  BODY_FOREGROUND_END = 3,
};

#endif
