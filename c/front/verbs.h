/*
 * The verbs that the front performs. Each either does what lib/container has it do, or gives COLD
 * having changed nothing that the same verb in Deno would not change first.
 */
#ifndef RUNTS_FRONT_VERBS_H
#define RUNTS_FRONT_VERBS_H

#include "cold.h"
#include "container.h"
#include "words.h"

/* Begins the name of a directory that is being removed (lib/state/directory.ts). */
#define REMOVED ".removed~"

#define DONE 0
#define COLD (-1)

/* A container, and how it was called for. */
struct target {
  struct container container;
  const char *root;
  const char *path; /* of the state directory */
  const struct call *call;
};

/* The document of `state`, and how much room it takes. */
char *put_state(char *to, const struct prepared *record, enum state state);
size_t state_room(const struct prepared *record);
const char *name_of_state(enum state state);
/* Writes what is between to the standard output: an exit code, or COLD. */
int print(const char *text, const char *end);

int print_state(const struct target *target);
int list_containers(const struct call *call, const char *root);
int kill_container(const struct target *target);
int start_container(const struct target *target, long lock, struct begun *begun);
int delete_container(const struct target *target);

/* delete --force of what does not exist. */
int delete_unknown(const char *root);

/* The state directory, if it is the caller's or root's: O_PATH, or -errno. */
long open_directory(long at, const char *path);
/* Makes the file of --log as lib/cli/log.ts does, though nothing is going to be written; 0 where it is none. */
int open_log(const char *path);

/* An exit code, or COLD. `words` are those behind argv[0]. */
int perform(char **words, char **env, struct begun *begun);

#endif
