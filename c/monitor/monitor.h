/*
 * The monitor: the parent of a container's processes, which outlives whoever started them. It copies
 * what they write to logs, records how they end, and does what brains ask of it (c/include/body.h).
 *
 * main.c        start-up, and when it ends
 * loop.c        one epoll set
 * connection.c  brains: requests and replies; packet.c: their decoding (packet.h)
 * operations.c  what each request does
 * process.c     processes; record.c: records of their ends; ended.c: who is told
 * reap.c        endings of all children
 * streams.c     reading what a program writes; terminal.c: the master of its terminal
 * input.c       what it reads; control.c: lines of its fifo
 * attach.c      clients of its streams
 * log.c         logs (log.h, sink.h): format.c: their forms; file.c, queue.c: where they go; text.c
 * command.c     the command that is run on an end
 * forward.c     streams that lead elsewhere
 * peer.c, frame.c, link.c, fifo.c: shim mode (shim.h)
 * memory.c      what all of it shares
 *
 * No policy, no threads. Memory is static or small; what is large is mapped while it is needed.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../common/kernel.h"
#include "../include/body.h"
#include "log.h"
#include "packet.h"

/* loop.c. What the loop waits for; it is the first member of what it belongs to. fd -1: none. */
struct source {
  int fd;
  void (*ready)(struct source *source, uint32_t events);
};

int loop_add(struct source *source, int fd, uint32_t events,
             void (*ready)(struct source *, uint32_t));
void loop_change(const struct source *source, uint32_t events);
/* Closes its descriptor, too. */
void loop_remove(struct source *source);
/* It is not waited for any more. */
void loop_forget(const struct source *source);
/* Waits for one event, at most until then (ns; 0: for ever), and sees to it; false: there was none. */
bool loop_turn(uint64_t deadline);

/* reap.c */
struct ending {
  int64_t time;
  struct body_ending body;
};
int reap_start(void);
/* Takes the endings of all children that have ended. */
void reap_all(void);
/* One of the newest: 0; -EAGAIN while the child lives, -ESRCH for what is not known. */
int ending_find(pid_t pid, struct ending *ending);
bool has_children(void);

/* What is said to a request. */
struct reply {
  struct body_reply head;
  union {
    struct body_hello hello;
    struct body_spawned spawned;
    struct body_ending ending;
    struct body_subscribed subscribed;
    struct body_status status;
    struct body_held held;
  } fields;
  size_t size; /* of the fields */
  int32_t fds[2];
  uint32_t fd_count; /* they are closed once they are sent */
};

/* connection.c */
struct connection {
  struct source source;
  struct connection *next;
  bool subscribed;
  int32_t *places; /* descriptors for the next SPAWN, by place; NULL: none */
};
/* Where the descriptors of preserved ones are among the places. */
#define PLACES_MAX (SLOTS_MAX + BODY_PRESERVE_MAX)

int listen_on(int fd);
/* `taken`: NULL, or where its connection is put. */
int connection_take(int fd, struct connection **taken);
/* May end the connection, but not before the loop's next turn. */
void connection_send(struct connection *c, const void *bytes, size_t length, const int32_t *fds,
                     uint32_t count);
void connection_reply(struct connection *c, struct reply *reply);
void connection_drop_places(struct connection *c);
/* Those that have subscribed. */
void connections_tell(const void *bytes, size_t length);
uint32_t connection_count(void);

/* operations.c. `fds`: what it keeps becomes -1. The caller sends the reply, unless it is 1. */
int perform(struct connection *c, const struct request *r, int32_t *fds, uint32_t count,
            struct reply *reply);

/* process.c */
struct stream {
  struct source source;
  struct process *process;
  struct line line;
  uint8_t number;          /* body_stream */
  bool edge;               /* a terminal that nobody has open just now */
  struct forward *forward; /* where it leads instead of to a log, or NULL */
};

struct process {
  struct process *next;
  struct connection *owner; /* until WATCH */
  pid_t pid;                /* from WATCH on */
  bool ended;
  bool terminal;
  bool kept;     /* a terminal without a process: until init ends */
  bool commands; /* the command is run on its end */
  uint16_t width, height;
  struct stream output[2];
  struct input {
    struct source source;
    uint8_t *bytes; /* what the program has not taken yet */
    size_t start, end;
    bool closing;
  } input;
  struct source feed;    /* what its terminal reads */
  bool feed_waits;       /* and is not looked at just now */
  int keep;              /* what is held until its input is closed */
  struct source console; /* where the terminal's master comes from */
  struct control {
    struct source source;
    uint8_t length;
    char line[64];
  } control;
  struct client *clients;
  uint8_t *replay; /* a ring, of a terminal's output */
  uint32_t replay_size;
  uint64_t replayed;
  struct log *log;
  int directory, record, exit_fifo, oom;
  uint64_t oom_kills; /* when it was watched */
  char name[];
};

struct process *process_find(const char *name);
int process_make(const char *name, struct connection *owner, struct process **process);
/* Its streams are read no more. */
void process_discard(struct process *p);
void processes_of_end(const struct connection *owner);
/* A terminal of init's, which is its maker's until init is watched; `slot`: a socket for its master. */
int terminal_make(const char *name, struct connection *owner, int32_t *slot);
int process_watch(struct process *p, const struct request *r, int32_t *fds, uint32_t count);
bool process_watched(pid_t pid);
/* If it is the end of a process that is watched, that is seen to. */
void process_ended(const struct ending *ending);
/* -EAGAIN while some process of that name has ended, and something is left of it. */
int process_drain(const char *name, bool force);
/* Once it has ended and nothing writes to its streams any more, it is forgotten. */
void process_settle(struct process *p);
uint32_t processes_alive(void);
bool processes_exist(void);
/* Takes what is there of all streams. */
void processes_flush(void);
/* Gives memory back that is not in use just now. */
void processes_rest(void);

/* ended.c. Keeps a recorded end, and tells of it. */
void ended_keep(const char *name, const struct ending *ending);
void ended_range(struct body_subscribed *range);
void ended_tell(struct connection *c, uint64_t since);

/* record.c. A file for the record, with room for it: a full disk later is no matter. */
int record_prepare(int directory);
int record_write(int directory, int file, const struct ending *ending);
uint64_t oom_kills_of(int fd);

/* streams.c. Makes pipes; `stdio`: the program's ends, with -errno unchanged. */
int streams_make(struct process *p, bool input, int32_t *stdio);
/* From now on they are read. */
void streams_begin(struct process *p);
void stream_ready(struct source *source, uint32_t events);
/* Reads what is there without waiting; a process that goes on writing does not hold it up. */
void streams_drain(struct process *p);
void stream_close(struct stream *s);
void streams_rest(struct process *p);

/* terminal.c */
/* A socket for the master; the other end goes into the slot. */
int console_make(struct process *p, int32_t *slot);
/* Takes the master, if it is there. */
void console_look(struct process *p);
int terminal_resize(struct process *p, uint32_t width, uint32_t height);

/* forward.c. What it takes becomes -1. */
int forward(struct process *p, uint32_t flags, int32_t *fds, uint32_t count);
/* Moves what is there, in so many pieces: as read(2) has it. Where there is no room, it waits for some. */
long forward_some(struct stream *s, int most);
/* The same once a process has ended. */
long forward_drain(struct stream *s);
void forward_free(struct stream *s);
/* What a terminal reads is looked at, from the beginning, or again. */
void feed_begin(struct process *p);
void feed_go_on(struct process *p);
void feed_close(struct process *p);
/* Whether there was something that was held for the input. */
bool keep_close(struct process *p);

/* input.c */
void input_put(struct process *p, const uint8_t *bytes, size_t length);
/* Whether it takes more; when it does again, attach_input is called. */
bool input_has_room(const struct process *p);
void input_close(struct process *p);
/* The program finds its end once it has read what is there. A terminal has none. */
void input_finish(struct process *p);

/* control.c */
void control_open(struct process *p);

/* attach.c */
int attach(struct process *p, uint32_t flags, int32_t *end);
/* The same with a descriptor that is the client itself. */
int attach_given(struct process *p, uint32_t flags, int32_t *fd);
/* So many bytes are kept from now on. */
int replay_size(struct process *p, uint32_t size);
/* Whether somebody with input is attached. */
bool is_attended(const struct process *p);
void attach_output(struct process *p, uint8_t stream, const uint8_t *bytes, size_t length);
/* Puts what they have sent, as far as there is room: whether that was all. */
bool attach_take(struct process *p);
/* They may send again, or not now. */
void attach_input(struct process *p, bool wanted);
void attach_end(struct process *p);

/* command.c */
/* Takes the descriptor; -1: none is run any more. */
int command_set(int32_t *fd);
/* One that fails, or that is killed, is run again, a few times. */
void command_run(void);
/* Whether that was the command. */
bool command_ended(const struct body_ending *ending);
void wake_in(uint64_t ms);
/* When it is due, or 0; sees to one that is. */
uint64_t wake_due(void);

/* The command of a file, with these descriptors as 3, 4, …: its pid, or -errno. `apart`: as no child of ours. */
pid_t program_start(int file, const int32_t *fds, uint32_t count, bool apart);
/* Whether the file has a command: 0, or -errno. */
int program_check(int file);

/* fifo.c: those for a process of that name are held no more. */
void fifos_drop(const char *name);
/* frame.c: what waits for the end of a process of that name is told. */
void frames_unpark(const char *name);
/* link.c */
bool is_shim(void);
void link_ended(const struct connection *c);
/* When the brain is looked for again, or 0; sees to one that is due. */
uint64_t link_due(void);
/* The monitor ends. */
void shim_end(void);

/* held.c: takes the descriptors, and closes those that it had. */
void hold(int32_t *fds, uint32_t count);

/* memory.c */
struct monitor {
  uint64_t written, lost, skipped;
  uint64_t files[2]; /* soft and hard RLIMIT_NOFILE as it was given to us */
  bool leaving;
};
extern struct monitor the_monitor;

/* Memory for as long as it is needed. NULL when there is none. */
void *map_memory(size_t size);
void unmap_memory(void *memory, size_t size);
void rest_memory(void *memory, size_t size);

/*
 * For what is read: what a line has kept, then what follows, READ_SIZE together, and READ_LEAST of that at
 * least. Pages that nothing is read into take no memory.
 */
#define READ_LEAST 4096
#define READ_SIZE (PART_MAX + READ_LEAST)
#define SCRATCH_SIZE BODY_INPUT_MAX
extern uint8_t scratch[SCRATCH_SIZE];
_Static_assert(READ_SIZE <= SCRATCH_SIZE, "what is read fits");

#endif
