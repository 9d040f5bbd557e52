/*
 * What a brain and a monitor say to each other: one packet a message over SOCK_SEQPACKET, numbers
 * little-endian. lib/wire/body.ts has the same; a test compares them.
 *
 * A packet begins with a body_header. Then come the fields of its operation, then its texts, each of
 * which ends in NUL. Requests are replied to in their order; a reply is a body_reply with the operation
 * and the number of its request, and, when its result is 0 and not -errno, its fields. Descriptors go
 * along by SCM_RIGHTS, BODY_FDS_MAX at most; what is of any length is in sealed files in memory, which
 * are read. Events come in between, also before the reply to what caused them. Only peers of the same
 * effective uid are heard.
 *
 * Monitors outlive upgrades: this stays as it is for ever, but for further operations. One that a
 * monitor does not know is -EOPNOTSUPP; a packet with other fields, texts or descriptors than its
 * operation has is -EINVAL; a name that no process has, or one that has ended, is -ENOENT. A peer that
 * does not read what it is told is hung up on.
 *
 * operation     request: fields, texts; descriptors               reply: fields; descriptors
 * HELLO                                                           body_hello
 * FDS           i32 for each descriptor: its place; descriptors     (no reply where the request is 0)
 * SPAWN         body_spawn, name; image, plan (, three streams)   body_spawned; pidfd, conversation
 * ENDING        i32 pid                                           body_ending
 * WATCH         body_watch, name, path, fields; directory (, oom)
 * SUBSCRIBE     u64 since                                         body_subscribed
 * ENDED         (an event; its request is 0)                      body_ended, name
 * ATTACH        u32 body_attach_flag, name                        ; one end of a pair
 * RESIZE        u32 width, u32 height, name                       (-ENOTTY without a terminal)
 * CLOSE_STDIN   name
 * REOPEN_LOG    name
 * STATUS                                                          body_status
 * COMMAND       ; file (or none: nothing is run any more)
 * WAKE          u64 ms (0: not any more)
 * LEAVE
 * FETCH         i32 pid of a child, i32 its descriptor            ; a copy (pidfd_getfd(2))
 * TERMINAL      name                                              ; a socket for its master
 * HOLD          ; descriptors (or none)                           body_held
 * ON_END        name
 *
 * FORWARD       u32 body_forward_flag, name; a descriptor for each flag
 * DRAIN         u32 force, name                                   (-EAGAIN while something is left)
 * RUN           ; file, descriptors from 3 on                     body_spawned; pidfd
 * SHIM          u32 0, name, directory, path; listening, file
 * FRAME         (an event; its request is 0)                      body_frame, bytes (or a file)
 * ANSWER        body_answer, bytes (or a file)                    (no reply)
 * PARK          body_answer, name                                 (no reply)
 * BEGIN         body_answer                                       (no reply)
 * BRAIN         ; pidfd                                           (no reply)
 * FIFO          u32 body_fifo_flag, name, path                    ; the fifo, open both ways
 *
 * CLOSE_STDIN: the program finds the end of its input behind all that was sent by those attached; a
 * terminal has none. REOPEN_LOG: the path of the log is opened anew. WAKE: the command is run then. ON_END:
 * it is run on the end of this process, too. LEAVE: nothing is to be kept; the monitor ends once it has no
 * child. It also ends when it was of no use for as long as it was started with: no connection, child, stream
 * or wake is left.
 */
#ifndef RUNTS_BODY_H
#define RUNTS_BODY_H

#include <stdint.h>

#include "ops.h"

#define BODY_VERSION 1
#define BODY_FDS_MAX 253       /* SCM_MAX_FD */
#define BODY_PACKET_MAX 16384  /* bytes of a packet, both ways */
#define BODY_NAME_MAX 255      /* bytes of a name, without its NUL; it has no slash */
#define BODY_PATH_MAX 4095     /* of a path; it is absolute */
#define BODY_FIELDS_MAX 4095   /* of the fields of a journal entry */
#define BODY_PRESERVE_MAX 1024 /* descriptors from 3 on that init inherits */
#define BODY_ENDINGS_MAX 256   /* endings of children: so many of the newest are kept */
#define BODY_ENDED_MAX 64      /* recorded ends: so many of the newest are told once more */
#define BODY_REPLAY_MAX 16384  /* bytes of a terminal's output that are kept, if nothing is said */
#define BODY_KEEP_MAX 16777216 /* and at most */
#define BODY_INPUT_MAX 32768   /* bytes of a packet of input from whoever is attached */

enum body_operation {
  BODY_HELLO = 1,
  BODY_FDS = 2,
  BODY_SPAWN = 3,
  BODY_ENDING = 4,
  BODY_WATCH = 5,
  BODY_SUBSCRIBE = 6,
  BODY_ENDED = 7,
  BODY_ATTACH = 8,
  BODY_RESIZE = 9,
  BODY_CLOSE_STDIN = 10,
  BODY_REOPEN_LOG = 11,
  BODY_STATUS = 12,
  BODY_COMMAND = 13,
  BODY_WAKE = 14,
  BODY_LEAVE = 15,
  BODY_FETCH = 16,
  BODY_TERMINAL = 17,
  BODY_HOLD = 18,
  BODY_ON_END = 19,
  BODY_GREET = 20,
  BODY_ACCEPT = 21,
  BODY_END = 22,
  BODY_PRINT = 23,
  BODY_OPEN = 24,
  BODY_CONNECT = 25,
  BODY_DESCRIPTOR = 26,
  BODY_PROGRAM = 27,
  BODY_ADOPT = 28,
  BODY_KILL = 29,
  BODY_KEEP = 30,
  BODY_FOREGROUND = 31,
  BODY_AWAIT = 32,
  BODY_MONITOR = 33,
  BODY_DATAGRAM = 34,
  BODY_FORWARD = 40,
  BODY_DRAIN = 41,
  BODY_RUN = 42,
  BODY_SHIM = 43,
  BODY_FRAME = 44,
  BODY_ANSWER = 45,
  BODY_PARK = 46,
  BODY_BEGIN = 47,
  BODY_BRAIN = 48,
  BODY_FIFO = 49,
};

struct body_header {
  uint32_t operation;
  uint32_t request;
};

struct body_reply {
  uint32_t operation;
  uint32_t request;
  int32_t result;
  uint32_t reserved;
};

struct body_hello {
  uint32_t version;
  int32_t pid;
  char build_id[BUILD_ID_LENGTH]; /* of the monitor: it may be older than the brain */
};

/*
 * Where a descriptor goes in the next SPAWN of this connection: a slot of the plan (0 to SLOTS_MAX - 1),
 * or, from BODY_PLACE_PRESERVED on, what init inherits as 3, 4, ….
 */
#define BODY_PLACE_PRESERVED 65536

/* The program's standard streams. */
enum body_stdio {
  BODY_STDIO_NULL = 0,     /* /dev/null */
  BODY_STDIO_PIPES = 1,    /* pipes of the monitor for output; input is /dev/null */
  BODY_STDIO_INPUT = 2,    /* the same, and one for input */
  BODY_STDIO_TERMINAL = 3, /* a terminal, which `console` brings; until then /dev/null */
  BODY_STDIO_GIVEN = 4,    /* the three descriptors after image and plan */
  BODY_STDIO_OWN = 5,      /* those of a front */
};

/*
 * EARLY: of a front: there is no plan, nor are there slots; init is going to be given them (sync.h). With it
 * also CLONE_NEWUTS, CLONE_NEWIPC and CLONE_NEWNET, for what init makes before it has its plan.
 */
enum body_spawn_flag { BODY_SPAWN_TRACE = 1, BODY_SPAWN_EARLY = 2 };
#define BODY_SPAWN_NAMESPACES 0x4c000000u

/*
 * Init is started as rts_spawn does it (c/helper/helper.h), with the descriptors that FDS brought, the
 * limit of open files that the monitor was given, and in its session. What the streams hold is read
 * from WATCH on. When the connection ends before WATCH, the name is free again, and init finds the end
 * of its conversation. -EEXIST while a process of that name lives.
 */
struct body_spawn {
  uint32_t slots; /* how many the plan has; those without a descriptor are empty */
  uint32_t preserve;
  uint32_t flags;  /* body_spawn_flag */
  uint32_t stdio;  /* body_stdio */
  int32_t console; /* slot that the monitor fills with a socket for the terminal's master, or -1 */
  uint32_t umask;
};

struct body_spawned {
  int32_t pid;
  uint32_t reserved;
};

/* UNEXECUTED: the program was never executed, as far as it can be seen. */
enum body_ending_flag { BODY_CORE = 1, BODY_OOM = 2, BODY_UNEXECUTED = 4 };

/*
 * How a child ended: -EAGAIN while it lives, -ESRCH for a process that is not the monitor's child and
 * was not one of the newest BODY_ENDINGS_MAX to end.
 */
struct body_ending {
  int32_t pid;
  int32_t code;   /* 128 + signal for a process that was killed */
  int32_t signal; /* 0: it exited */
  uint32_t flags; /* body_ending_flag; but CORE only of a process that is watched */
};

enum body_driver {
  BODY_LOG_NONE = 0,
  BODY_LOG_CRI = 1,
  BODY_LOG_JSON = 2,
  BODY_LOG_RAW = 3,
  BODY_LOG_JOURNALD = 4,
};

/*
 * From now on the end of `pid`, a child, is that of the name: in `directory`, exit.json appears, then the
 * fifo `exit` is unlinked, ENDED is told, and the fifo, which was held open, is closed. Lines
 * `resize W H` and `close-stdin` are taken from the fifo `control` there; either fifo may be missing. When
 * the process has ended already, that happens now. -EBUSY for what is watched already, -ESRCH for what
 * is no child.
 *
 * Output goes to the log. `path`: the log's file, or the journal's socket; empty for BODY_LOG_NONE.
 * Processes with one path and driver share a log. `fields`: for the journal, lines NAME=VALUE. `oom`: a
 * file with a line "oom_kill N" (memory.events, memory.oom_control): when N has grown, and the process was
 * killed by KILL or exited with 137, its end was for want of memory.
 */
struct body_watch {
  int32_t pid;
  uint32_t driver;    /* body_driver */
  uint64_t max_size;  /* bytes of a file of the log; 0: no limit */
  uint32_t max_files; /* files in all, this one and .1 to .N; 1 or more */
  uint32_t reserved;  /* 0 */
};

/*
 * Recorded ends are numbered from 1. Those after `since` that are kept are told now, later ones when
 * they happen.
 */
struct body_subscribed {
  uint64_t oldest; /* number of the oldest that is kept; 0: none is */
  uint64_t newest; /* 0: there was none yet */
};

struct body_ended {
  uint64_t number;
  int64_t time; /* ns since 1970, UTC */
  struct body_ending ending;
};

/*
 * EXCLUSIVE: -EBUSY where somebody with input is attached already. With a descriptor, which does not block, that
 * is what is attached: it gets output as it is, as far as there is room, and what is read of it is input.
 */
enum body_attach_flag { BODY_ATTACH_STDIN = 1, BODY_ATTACH_REPLAY = 2, BODY_ATTACH_EXCLUSIVE = 4 };

/*
 * What is attached gets packets: a byte body_stream, then output, or for BODY_STREAM_LOST the number
 * (u64) of bytes that it was too slow for. Packets that it sends are input, as they are, BODY_INPUT_MAX
 * bytes at most. Its end is a detach.
 */
enum body_stream { BODY_STREAM_LOST = 0, BODY_STREAM_STDOUT = 1, BODY_STREAM_STDERR = 2 };

/*
 * TERMINAL: a terminal beside that of init, whose master comes over the socket, as that of SPAWN does. It can
 * be attached to and resized by its name until init ends, or another one takes its name; it goes with the
 * connection if that ends before init is watched.
 * KEEP: so many bytes (u32) of a terminal's output are kept for whoever attaches.
 * HOLD: these descriptors are held instead of those before; their numbers are the monitor's.
 */
#define BODY_HELD_MAX 8
struct body_held {
  int32_t fds[BODY_HELD_MAX]; /* -1: none */
};

/*
 * FORWARD: where the streams of a process lead that is not watched yet: each SOURCE is read, and what comes goes
 * into its TARGET, from WATCH on; a terminal's master is the source of OUT_TARGET. What a target has no
 * room for waits, and the program with it; what it refuses is lost, and counted. STDIN is what a terminal reads,
 * and KEEP a descriptor that is held until CLOSE_STDIN, or the end of the process.
 * DRAIN: whether a process that has ended has nothing more to say; by force, what still writes to its streams
 * is not heard any more. -EBUSY while the process lives.
 * RUN: a program as that of COMMAND, started now; the descriptors are 3, 4, ….
 */
enum body_forward_flag {
  BODY_FORWARD_STDIN = 1,
  BODY_FORWARD_KEEP = 2,
  BODY_FORWARD_OUT_SOURCE = 4,
  BODY_FORWARD_OUT_TARGET = 8,
  BODY_FORWARD_ERR_SOURCE = 16,
  BODY_FORWARD_ERR_TARGET = 32,
};
#define BODY_FORWARD_MAX 6
#define BODY_RUN_MAX 8

/*
 * FIFO: the monitor holds it, too, until that is said with an empty path, or the program of the process has ended.
 * READ: -ENXIO where nobody has it open for reading.
 */
enum body_fifo_flag { BODY_FIFO_READ = 1 };

/*
 * SHIM: from now on the monitor takes frames of ttrpc from the socket `listening`, whose path is unlinked when
 * the monitor ends. Each request waits until it is answered: it is told to the brain as FRAME, and to the next
 * one when that ends before it has said ANSWER. What two brains have died of, or several were killed over, is
 * answered with an internal error: it counts for those whose attempt is 1, and those begun by BEGIN. By the pidfd of BRAIN it is learned how a brain has ended. With PARK a request waits until the
 * process of that name has ended, and is told once more.
 * The brain is whoever holds `directory`/shim.lock, and takes datagrams at `directory`/shim.sock: a body_greeting,
 * the name, and the brain's end of a connection. Where there is none, the monitor runs the file's
 * command with the lock, which it then has, as descriptor 3, and the socket as 4. It works once it has said BRAIN.
 */
enum body_greeting_kind { BODY_GREETING_MONITOR = 1, BODY_GREETING_START = 2 };

/*
 * START: a front was called as a shim, to start. Behind the greeting are its words, each of which ends in NUL, an
 * empty one, then variables likewise; three descriptors go along: one end of a pair for packets, its
 * working directory, its standard input. What comes back are packets of a body_starting, and what it says.
 */
enum body_starting_kind {
  BODY_STARTING_COLD = 0, /* nothing was done: Deno is to do it */
  BODY_STARTING_MONITOR =
      1, /* a monitor is to be run: its image, its connection; its title, ending in NUL */
  BODY_STARTING_SAY = 2,  /* the answer is to be written, which is the end */
  BODY_STARTING_FAIL = 3, /* likewise, to the standard error, with exit code 1 */
};
struct body_starting {
  uint32_t kind;
};

struct body_greeting {
  uint32_t kind; /* body_greeting_kind */
  int32_t pid;   /* of the monitor, or the front */
};

/* Bytes of a frame that stand in a packet; longer ones come in a sealed file. */
#define BODY_FRAME_MAX 8192
struct body_frame {
  uint32_t connection;
  uint32_t stream;
  uint32_t attempt; /* from 1 on; PARK begins anew */
  uint32_t length;  /* of the bytes */
};

struct body_answer {
  uint32_t connection;
  uint32_t stream;
};

struct body_status {
  uint64_t written; /* bytes of output that went into logs */
  uint64_t lost;    /* bytes of output that logs did not take */
  uint64_t skipped; /* bytes that clients of ATTACH were too slow for */
  uint32_t processes;
  uint32_t connections;
};

/*
 * What is run on every end of the process "init" and of those of ON_END, and when a WAKE is due: in a session of its own, with
 * null streams and umask 022. One at a time; when it is to be run while it runs, it is run once more.
 * How it ends is of no matter. The file: u32 number of arguments, u32 number of variables, then texts:
 * working directory, path, arguments (argv), variables.
 */
struct body_command {
  uint32_t arguments;
  uint32_t variables;
};

#endif
